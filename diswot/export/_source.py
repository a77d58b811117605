"""Write a network as plain PyTorch source: as modules if possible, otherwise as operations."""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.export import ExportedProgram

from diswot.errors import ExportError, first_line
from diswot.export._comparison import check_same
from diswot.export._network import OutputOnly, outputs_of
from diswot.export._operations import operations_of
from diswot.export._templates import render
from diswot.export._writing import is_call, write_forward, write_modules, write_tensors
from diswot.networks.output import output_of
from diswot.tasks import Packaging


@dataclass(frozen=True)
class Source:
    """Source code that only imports torch, and the tensors that it loads.

    Attributes:
        text: the source code.
        weights: tensors by their names in the student's state dict.
    """

    text: str
    weights: Mapping[str, Tensor]


def write_source(
    network: OutputOnly,
    program: Callable[[], ExportedProgram],
    cases: Sequence[tuple[Tensor, ...]],
    *,
    expected: Sequence[Tensor],
    packaging: Packaging,
    architecture: str,
) -> Source:
    """Return source code that rebuilds `network` and only imports torch.

    First, the forward pass is traced by `torch.fx`, with torch's modules written as constructor
    calls. If that fails or computes something else, the operations of the `ExportedProgram` are
    written one by one. Either version is run before it is accepted.

    Args:
        network: the network.
        program: returns the network as an `ExportedProgram`, or raises `ExportError`.
        cases: inputs on which the source is run.
        expected: outputs of the network for these inputs.
        packaging: the task's part: inputs, outputs and templates.
        architecture: name of the architecture.

    Raises:
        ExportError: neither version can be written or computes the same.
    """

    def checked(modules: nn.Module, graph: fx.Graph) -> Source:
        source = _written(modules, graph, packaging=packaging, architecture=architecture)
        check_same("student.py", _run_here(source, cases), expected)
        return source

    try:
        return checked(network.network, _traced(network.network))
    except Exception as error:  # noqa: BLE001  (torch.fx runs the network's own code)
        reason = f"torch.fx cannot trace it ({type(error).__name__}: {first_line(error)})"
    try:
        return checked(*operations_of(program(), network.network, packaging.signature.names))
    except ExportError as error:
        raise ExportError(f"{reason}, and {error}") from error


def weights_of(network: nn.Module) -> dict[str, Tensor]:
    """Return copies of the tensors in a network's state dict.

    Raises:
        ExportError: the state dict has other objects than tensors.
    """
    state = network.state_dict()
    if strange := [name for name, value in state.items() if not isinstance(value, Tensor)]:
        raise ExportError(f"{strange[0]} in the student's state is not a tensor: leave it out")
    return {name: tensor.detach().clone().contiguous() for name, tensor in state.items()}


def _written(
    modules: nn.Module, graph: fx.Graph, *, packaging: Packaging, architecture: str
) -> Source:
    forward, imports = write_forward(modules, graph)
    text = render(
        "student.py.j2",
        packaging,
        architecture=architecture,
        modules=write_modules(modules),
        tensors=write_tensors(modules),
        forward=forward,
        imports=imports,
    )
    return Source(text, weights_of(modules))


def _run_here(source: Source, cases: Sequence[tuple[Tensor, ...]]) -> tuple[Tensor, ...]:
    """Run source code in this process; return the outputs for each case."""
    names: dict[str, Any] = {"__file__": "student.py", "__name__": "student"}
    exec(compile(source.text, "student.py", "exec"), names)  # noqa: S102  (just written here)
    network: nn.Module = names["Student"]()
    network.load_state_dict(dict(source.weights))
    return outputs_of(network.eval(), cases)


class _Tracer(fx.Tracer):
    """A tracer whose leaves are the modules that can be written as constructor calls."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:  # noqa: ARG002
        return is_call(m)


def _traced(network: nn.Module) -> fx.Graph:
    """Trace the forward pass, and let the graph return only the output tensor."""
    graph = _Tracer().trace(copy.deepcopy(network))  # a copy: modules may keep traced values
    (last,) = graph.find_nodes(op="output")
    stand_ins: dict[fx.Node, Any] = {}
    returned = fx.node.map_arg(
        last.args[0], lambda node: stand_ins.setdefault(node, torch.empty(0))
    )
    chosen = output_of(returned)
    last.args = (next(node for node, tensor in stand_ins.items() if tensor is chosen),)
    return graph
