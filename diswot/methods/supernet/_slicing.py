"""Students as slices of a supernet's weights."""

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from diswot.errors import SpaceError

_LAYER = re.compile(r"^(.*\blayers\.)(\d+)(\..*)$")
"""Matches names of parameters in a numbered layer: prefix, number, rest."""


def views(supernet: nn.Module, student: nn.Module) -> dict[str, Tensor]:
    """Return the slices of a supernet's parameters for a student, by the student's names.

    Layer i of L is taken from layer ⌊i·L_super/L⌋ of the supernet, so that layers are evenly
    spaced. Of each weight, the leading rows and columns are used; in attention these are the
    leftmost heads. Slices are views: they share memory with the supernet, and gradients flow
    into its parameters.

    Source: AutoDistil (Xu et al., NeurIPS 2022), section 3.3, and its released code.

    Args:
        supernet: the largest network of a space.
        student: a network of the same kind, whose shapes are read; it may be on the meta device.

    Raises:
        SpaceError: the student does not fit into the supernet.
    """
    whole = dict(supernet.named_parameters())
    depths = _depth(whole), _depth(dict(student.named_parameters()))
    return {
        name: _slice(whole, _source_of(name, *depths), shape=parameter.shape)
        for name, parameter in student.named_parameters()
    }


def run_sliced(supernet: nn.Module, student: nn.Module, *inputs: Tensor) -> Any:
    """Run the forward pass of a student with its slices of a supernet's weights.

    Args:
        supernet: the largest network of a space; gradients flow into its parameters.
        student: a network of the same kind, also on the meta device; its own weights are ignored.
        *inputs: inputs of the student.
    """
    return functional_call(student, views(supernet, student), inputs)


def tie(student: nn.Module, supernet: nn.Module) -> nn.Module:
    """Make the parameters of a student views of a supernet's, so that both share memory.

    Args:
        student: changed in place, and returned.
        supernet: the supernet.
    """
    for name, view in views(supernet, student).items():
        owner, _, attribute = name.rpartition(".")
        setattr(student.get_submodule(owner), attribute, nn.Parameter(view.detach()))
    return student


@torch.no_grad()
def extract(student: nn.Module, supernet: nn.Module) -> nn.Module:
    """Copy a student's slices of a supernet's weights into the student.

    Args:
        student: changed in place, and returned; afterwards independent of the supernet.
        supernet: the supernet, which is not changed.
    """
    parameters = dict(student.named_parameters())
    for name, view in views(supernet, student).items():
        parameters[name].copy_(view)
    return student


def _depth(parameters: Mapping[str, Tensor]) -> int:
    result = [int(match[2]) for name in parameters if (match := _LAYER.match(name))]
    return max(result, default=-1) + 1


def _source_of(name: str, whole: int, own: int) -> str:
    """Return the name in the supernet of a student's parameter.

    Args:
        name: name of the student's parameter.
        whole: number of layers of the supernet.
        own: number of layers of the student.
    """
    match = _LAYER.match(name)
    if match is None:
        return name
    # A shallower student takes layers at regular intervals.
    return f"{match[1]}{int(match[2]) * whole // own}{match[3]}"


def _slice(whole: Mapping[str, Tensor], name: str, *, shape: torch.Size) -> Tensor:
    result = whole.get(name)
    if (
        result is None
        or result.ndim != len(shape)
        or any(own > all_ for own, all_ in zip(shape, result.shape, strict=True))
    ):
        has = "none" if result is None else "×".join(map(str, result.shape))
        raise SpaceError(
            f"the student is not a part of the supernet: its {name} is "
            f"{'×'.join(map(str, shape))}, "
            f"that of the supernet {has}"
        )
    # A view of the first rows and columns: gradients flow into the supernet.
    return result[tuple(slice(item) for item in shape)]
