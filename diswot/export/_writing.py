"""Write modules, tensors and a graph of operations as Python code."""

import inspect
import re
import sys
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor, fx, nn

from diswot.errors import ExportError

_CONTAINERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict, nn.ParameterList, nn.ParameterDict)
_PROVIDED = {"torch", "NoneType", "fx_pytree", "pytree"}
"""Global names of a traced graph that the source already imports, or does not use."""


def is_call(module: nn.Module) -> bool:
    """Return whether a module is written as a constructor call: torch's own, not a container."""
    kind = type(module)
    return getattr(nn, kind.__name__, None) is kind and kind not in (nn.Module, *_CONTAINERS)


def write_modules(network: nn.Module) -> str:
    """Return the code of a dictionary of constructor calls for the children of a network."""
    return _dictionary(network, indent=2)


def write_tensors(network: nn.Module) -> str:
    """Return code that registers parameters and buffers of modules that are not torch's own.

    Raises:
        ExportError: a buffer is not part of the weights.
    """
    lines = []
    for path, module in _containers(network):
        owner = f"self{_access(network, path)}"
        for name, parameter in _held(module._parameters).items():
            grad = "" if parameter.is_floating_point() else ", requires_grad=False"
            made = f"nn.Parameter({_empty(parameter)}{grad})"
            lines.append(f"        {owner}.register_parameter({name!r}, {made})")
        for name, buffer in _held(module._buffers).items():
            if name in module._non_persistent_buffers_set:
                raise ExportError(f"the buffer {path}.{name} is not part of the weights")
            lines.append(f"        {owner}.register_buffer({name!r}, {_empty(buffer)})")
    return "\n".join(lines)


def write_forward(network: nn.Module, graph: fx.Graph) -> tuple[str, tuple[str, ...]]:
    """Return the code of a graph as a `forward` method, and the imports that it needs.

    Raises:
        ExportError: it calls functions of other packages.
    """
    # Let fx write placeholders for attributes, and replace these by valid access expressions.
    places = {}
    for number, node in enumerate(graph.nodes):
        if node.op in ("call_module", "get_attr"):
            owner, _, attribute = node.target.rpartition(".")
            if node.op == "call_module":
                places[f"self.place_{number}"] = f"self{_access(network, node.target)}"
            elif attribute.isidentifier():
                places[f"self.place_{number}"] = f"self{_access(network, owner)}.{attribute}"
            else:
                place = f"getattr(self{_access(network, owner)}, {attribute!r})"
                places[f"self.place_{number}"] = place
            node.target = f"place_{number}"
    written = graph.python_code("self")
    code = re.sub(r";  [\w = ]+ = None", "", written.src)  # fx frees values after their last use
    code = re.sub(r"self\.place_\d+", lambda found: places[found[0]], code)
    return textwrap.indent(code.strip(), "    "), _imports(code, written.globals)


def _imports(code: str, names: Mapping[str, Any]) -> tuple[str, ...]:
    lines = []
    for name, value in names.items():
        if name in _PROVIDED or not re.search(rf"\b{name}\b", code):
            continue
        if name in ("inf", "nan"):
            lines.append(f"from math import {name}")
            continue
        module = str(getattr(value, "__module__", None) or getattr(value, "__name__", ""))
        if module.partition(".")[0] not in ("torch", *sys.stdlib_module_names):
            raise ExportError(f"its forward pass calls {module}, which needs more than torch")
        if inspect.ismodule(value):
            lines.append(f"import {value.__name__} as {name}")
        else:
            lines.append(f"from {module} import {value.__name__} as {name}")
    return tuple(lines)


def _containers(module: nn.Module, path: str = "") -> Iterator[tuple[str, nn.Module]]:
    """Yield all modules, with their paths, that are not part of a constructor call."""
    if not is_call(module):
        yield path, module
        for name, child in _held(module._modules).items():
            yield from _containers(child, f"{path}.{name}" if path else name)


def _module(module: nn.Module, *, indent: int) -> str:
    if is_call(module):
        return _constructor(module)
    if _is_list(module):
        margin = "    " * (indent + 1)
        children = (_module(child, indent=indent + 1) for child in _held(module._modules).values())
        lines = "".join(f"{margin}{child},\n" for child in children)
        return f"nn.ModuleList([\n{lines}{'    ' * indent}])"
    return f"Block({_dictionary(module, indent=indent)})"


def _dictionary(module: nn.Module, *, indent: int) -> str:
    margin = "    " * (indent + 1)
    lines = [
        f"{margin}{name!r}: {_module(child, indent=indent + 1)},\n"
        for name, child in _held(module._modules).items()
    ]
    return f"{{\n{''.join(lines)}{'    ' * indent}}}" if lines else "{}"


def _is_list(module: nn.Module) -> bool:
    names = list(_held(module._modules))
    return bool(names) and names == [str(number) for number in range(len(names))]


def _held(named: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entries that are not `None`."""
    return {name: value for name, value in named.items() if value is not None}


def _empty(tensor: Tensor) -> str:
    dtype = "" if str(tensor.dtype) == "torch.float32" else f", dtype={tensor.dtype}"
    return f"torch.empty({tuple(tensor.shape)}{dtype})"


def _constructor(module: nn.Module) -> str:
    """Return the constructor call of a torch module, reconstructed from its attributes."""
    kind = type(module)
    arguments = []
    for name, parameter in inspect.signature(kind.__init__).parameters.items():
        variadic = parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        if variadic or name in ("self", "device", "dtype"):
            continue
        value = getattr(module, name, parameter.default)
        if isinstance(value, Tensor) or (name == "bias" and value is None):
            value = value is not None
        if value is inspect.Parameter.empty:
            raise ExportError(
                f"{kind.__name__} cannot be written as source: its argument {name} is not kept"
            )
        if value not in (parameter.default, (parameter.default,) * 2):
            arguments.append(f"{name}={value!r}")
    return f"nn.{kind.__name__}({', '.join(arguments)})"


def _access(network: nn.Module, path: str) -> str:
    """Return the expression that accesses the module at a dotted path from `self`."""
    steps, module = [], network
    for name in path.split(".") if path else []:
        listed = module is not network and _is_list(module)
        plain = f".{name}" if name.isidentifier() else f'.get_submodule("{name}")'
        steps.append(f"[{name}]" if listed else plain)
        module = module.get_submodule(name)
    return "".join(steps)
