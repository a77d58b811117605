"""Convert an `ExportedProgram` to a graph of operations on named tensors."""

import copy
import keyword
import re
from collections.abc import Sequence

from torch import Tensor, fx, nn
from torch.export import ExportedProgram
from torch.export.graph_signature import InputKind, InputSpec, OutputKind

from diswot.errors import ExportError
from diswot.runtimes import quiet

_PREFIX = "network."
"""Prefix of the names of the student's tensors in its program."""


class _Tensors(nn.Module):
    """A module that only holds tensors and other such modules."""


def operations_of(
    program: ExportedProgram, network: nn.Module, inputs: Sequence[str]
) -> tuple[nn.Module, fx.Graph]:
    """Return a module with all tensors, and a graph of operations on them.

    Names of tensors are those in the network's state dict; constants get new names.

    Args:
        program: the exported network.
        network: the network, from which the tensors are taken.
        inputs: names of the inputs.

    Raises:
        ExportError: the program has control flow, or values that are not tensors.
    """
    with quiet():
        if _has_programs_inside(program):
            program = program.run_decompositions({})
    if _has_programs_inside(program):
        raise ExportError("its forward pass holds control flow that plain source cannot express")
    # Collect the tensors by name; then let the graph read them instead of placeholders.
    tensors = _Tensors()
    for name, parameter in network.named_parameters(remove_duplicate=False):
        _hold(tensors, name, parameter)
    for name, buffer in network.named_buffers(remove_duplicate=False):
        _hold(tensors, name, buffer)
    graph = copy.deepcopy(program.graph)
    placeholders = graph.find_nodes(op="placeholder")
    names = iter(inputs)
    for node, given in zip(placeholders, program.graph_signature.input_specs, strict=True):
        if given.kind == InputKind.USER_INPUT:
            node.target = _identifier(next(names))
        else:
            name, value = _tensor(program, given)
            _hold(tensors, name, value)
            with graph.inserting_before(node):
                node.replace_all_uses_with(graph.create_node("get_attr", name))
            graph.erase_node(node)
    _without_checks(graph)
    _return_output(program, graph)
    return tensors, graph


def _has_programs_inside(program: ExportedProgram) -> bool:
    return bool(program.graph.find_nodes(op="get_attr"))


def _identifier(name: str) -> str:
    """Convert a name to a valid Python identifier."""
    result = re.sub(r"\W", "_", name)
    return result if result.isidentifier() and not keyword.iskeyword(result) else f"input_{result}"


def _tensor(program: ExportedProgram, given: InputSpec) -> tuple[str, Tensor]:
    """Return name and value of a parameter, buffer or constant of a program."""
    target = given.target or ""
    value = program.state_dict.get(target, program.constants.get(target))
    if not isinstance(value, Tensor):
        raise ExportError(f"its forward pass uses {target}, which is not a tensor")
    return target.removeprefix(_PREFIX), value


def _hold(root: nn.Module, name: str, value: Tensor) -> None:
    """Register a tensor under a dotted name, unless it exists already."""
    *path, last = name.split(".")
    for step in path:
        if step not in root._modules:
            root.add_module(step, _Tensors())
        root = root.get_submodule(step)
    if last in root._parameters or last in root._buffers:
        return
    if isinstance(value, nn.Parameter):
        root.register_parameter(last, value)
    else:
        root.register_buffer(last, value.detach())


def _without_checks(graph: fx.Graph) -> None:
    """Remove assertions on shapes and types from a graph."""
    for node in reversed(graph.nodes):
        if node.op == "call_function" and "assert" in str(node.target) and not node.users:
            graph.erase_node(node)


def _return_output(program: ExportedProgram, graph: fx.Graph) -> None:
    """Let the graph return only the program's output, without updated buffers."""
    (last,) = graph.find_nodes(op="output")
    kinds = [spec.kind for spec in program.graph_signature.output_specs]
    last.args = (last.args[0][kinds.index(OutputKind.USER_OUTPUT)],)
