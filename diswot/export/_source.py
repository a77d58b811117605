"""Plain PyTorch source of a network, written from its traced graph."""

import inspect
import re
import textwrap

from torch import Tensor, fx, nn

from diswot.data import ImageSpec
from diswot.errors import ExportError, first_line

_TEMPLATE = '''"""The student {architecture}, written by DisWOT; it needs PyTorch alone.

    network = load()                    # reads weights.safetensors beside this file
    logits = network(normalise(pixels)) # pixels: {shape}, values from 0 to {scale:g}
"""

import json
import math
from pathlib import Path

import torch
from torch import nn

CLASSES = {num_classes}
SHAPE = {shape_tuple}
MEAN = {mean}
STD = {std}
SCALE = {scale}


class Block(nn.Module):
    """A module that holds others by name."""

    def __init__(self, children):
        super().__init__()
        for name, child in children.items():
            self.add_module(name, child)


class Student(Block):
    """The network; its parameters have the names that they had in training."""

    def __init__(self):
        super().__init__({modules})
{parameters}
{forward}


def normalise(pixels):
    """Return pixels (n, C, H, W) as the network takes them."""
    mean, std = torch.tensor(MEAN).view(-1, 1, 1), torch.tensor(STD).view(-1, 1, 1)
    return (pixels.float() / SCALE - mean) / std


def load(path=Path(__file__).with_name("weights.safetensors")):
    """Return the network with its trained weights, ready for inference."""
    network = Student()
    network.load_state_dict(read_safetensors(path))
    return network.eval()


def read_safetensors(path):
    """Read tensors by name from a safetensors file."""
    content = bytearray(Path(path).read_bytes())
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    types = {{"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
             "F64": torch.float64, "I64": torch.int64, "I32": torch.int32,
             "U8": torch.uint8, "BOOL": torch.bool}}
    tensors = {{}}
    for name, entry in header.items():
        if name != "__metadata__":
            begin = start + entry["data_offsets"][0]
            tensors[name] = torch.frombuffer(
                content, dtype=types[entry["dtype"]], count=math.prod(entry["shape"]), offset=begin
            ).view(entry["shape"]).clone()
    return tensors
'''


def write_source(network: nn.Module, images: ImageSpec, architecture: str) -> str:
    """Return the source of a module that imports torch alone and rebuilds `network`.

    The forward pass is traced by `torch.fx`; modules of torch are written as calls of
    their constructors, and everything else becomes part of `forward`.

    Raises:
        ExportError: the forward pass cannot be traced, or a module's arguments not read.
    """
    try:
        graph = fx.Tracer().trace(network.eval())
    except Exception as error:
        raise ExportError(
            f"the network's forward pass cannot be written as source "
            f"({type(error).__name__}: {first_line(error)}): it must not depend on the values "
            "of tensors (torch.fx must be able to trace it)"
        ) from error
    channels, height, width = images.shape
    return _TEMPLATE.format(
        architecture=architecture,
        shape=f"(n, {channels}, {height}, {width})",
        shape_tuple=images.shape,
        num_classes=images.num_classes,
        mean=images.mean,
        std=images.std,
        scale=images.scale,
        modules=_container(network, indent=2, root=True),
        parameters=_own_tensors(network),
        forward=_forward(network, graph),
    )


def _container(module: nn.Module, *, indent: int, root: bool = False) -> str:
    """Write a module as a constructor call, its children inside."""
    children = dict(module.named_children())
    if _is_torch_leaf(module):
        return _constructor(module)
    margin = "    " * (indent + 1)
    inner = {name: _container(child, indent=indent + 1) for name, child in children.items()}
    if _is_list(children) and not root:
        lines = "".join(f"{margin}{text},\n" for text in inner.values())
        return f"nn.ModuleList([\n{lines}{'    ' * indent}])"
    lines = "".join(f'{margin}"{name}": {text},\n' for name, text in inner.items())
    content = f"{{\n{lines}{'    ' * indent}}}"
    return content if root else f"Block({content})"


def _is_torch_leaf(module: nn.Module) -> bool:
    inside_torch = type(module).__module__.startswith("torch.nn")
    return inside_torch and not isinstance(module, nn.Sequential | nn.ModuleList | nn.ModuleDict)


def _is_list(children: dict[str, nn.Module]) -> bool:
    return bool(children) and list(children) == [str(i) for i in range(len(children))]


def _constructor(module: nn.Module) -> str:
    """Write the call that makes a module of torch, from its attributes."""
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


def _own_tensors(network: nn.Module) -> str:
    """Write the parameters and buffers that containers hold themselves."""
    lines = []
    for path, module in network.named_modules():
        if _is_torch_leaf(module):
            continue
        owner = f"self{_access(network, path)}"
        for name, tensor in module.named_parameters(recurse=False):
            made = f"nn.Parameter(torch.empty({tuple(tensor.shape)}))"
            lines.append(f"        {owner}.register_parameter({name!r}, {made})")
        for name, tensor in module.named_buffers(recurse=False):
            persistent = name not in module._non_persistent_buffers_set
            if not persistent:
                raise ExportError(
                    f"the buffer {path}.{name} is not part of the weights: "
                    "register it as persistent"
                )
            made = f"torch.empty({tuple(tensor.shape)}, dtype={tensor.dtype})"
            lines.append(f"        {owner}.register_buffer({name!r}, {made})")
    return "\n".join(lines) + ("\n" if lines else "")


def _access(network: nn.Module, path: str) -> str:
    """Write how the module at a dotted path is reached from `self` in the source."""
    steps, module = [], network
    for name in path.split(".") if path else []:
        listed = module is not network and _is_list(dict(module.named_children()))
        plain = f".{name}" if name.isidentifier() else f'.get_submodule("{name}")'
        steps.append(f"[{name}]" if listed else plain)
        module = module.get_submodule(name)
    return "".join(steps)


def _forward(network: nn.Module, graph: fx.Graph) -> str:
    """Write the traced graph as a method, modules by the places they have in the source."""
    places = {}
    for number, node in enumerate(graph.nodes):
        if node.op in ("call_module", "get_attr"):
            owner, _, attribute = node.target.rpartition(".")
            if node.op == "call_module":
                places[f"self.place_{number}"] = f"self{_access(network, node.target)}"
            else:
                places[f"self.place_{number}"] = f"self{_access(network, owner)}.{attribute}"
            node.target = f"place_{number}"
    code = graph.python_code("self").src
    code = re.sub(r";  [\w = ]+ = None", "", code)  # torch.fx frees each value after its last use
    code = re.sub(r"self\.place_\d+", lambda found: places[found[0]], code)
    return textwrap.indent(code.strip(), "    ")
