"""Students as views of a supernet's weights: which slice each of their parameters is."""

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from diswot.errors import SpaceError

_LAYER = re.compile(r"^(.*\blayers\.)(\d+)(\..*)$")
"""The name of a parameter of one of several layers that are alike."""


def views(supernet: nn.Module, student: nn.Module) -> dict[str, Tensor]:
    """Return the slices of a supernet's parameters that a student consists of, by its own names.

    Layer i of L is layer ⌊i·L_super/L⌋ of the supernet, so that layers are spread evenly; of each
    weight the leading rows and columns are taken, so of attention the leftmost heads. A slice is a
    view: it shares memory with the supernet, and gradients flow through it into the slice alone.

    Source: AutoDistil (Xu et al., NeurIPS 2022), section 3.3, and its released code.

    Args:
        supernet: the largest network of a space.
        student: of the same kind; its shapes are read, so that it may be on the meta device.

    Raises:
        SpaceError: it is no part of the supernet.
    """
    whole = dict(supernet.named_parameters())
    depths = _depth(whole), _depth(dict(student.named_parameters()))
    return {
        name: _slice(whole, _source_of(name, *depths), shape=parameter.shape)
        for name, parameter in student.named_parameters()
    }


def run_sliced(supernet: nn.Module, student: nn.Module, *inputs: Tensor) -> Any:
    """Run a student on the weights that it has in a supernet, into which gradients flow.

    Args:
        supernet: the largest network of a space.
        student: of the same kind, on the meta device or elsewhere; its own weights are not read.
        *inputs: of the student.
    """
    return functional_call(student, views(supernet, student), inputs)


def tie(student: nn.Module, supernet: nn.Module) -> nn.Module:
    """Make the parameters of a student views of a supernet's: writing to one shows in the other.

    Args:
        student: is changed, and returned.
        supernet: whose memory it uses.
    """
    for name, view in views(supernet, student).items():
        owner, _, attribute = name.rpartition(".")
        setattr(student.get_submodule(owner), attribute, nn.Parameter(view.detach()))
    return student


@torch.no_grad()
def extract(student: nn.Module, supernet: nn.Module) -> nn.Module:
    """Copy the weights that a student has in a supernet into it.

    Args:
        student: is changed, and returned; it then stands alone.
        supernet: is left as it is.
    """
    own = dict(student.named_parameters())
    for name, view in views(supernet, student).items():
        own[name].copy_(view)
    return student


def _depth(parameters: Mapping[str, Tensor]) -> int:
    found = [int(match[2]) for name in parameters if (match := _LAYER.match(name))]
    return max(found, default=-1) + 1


def _source_of(name: str, whole: int, own: int) -> str:
    """Return the supernet's name of a student's parameter."""
    match = _LAYER.match(name)
    if match is None:
        return name
    return f"{match[1]}{int(match[2]) * whole // own}{match[3]}"


def _slice(whole: Mapping[str, Tensor], name: str, *, shape: torch.Size) -> Tensor:
    found = whole.get(name)
    if (
        found is None
        or found.ndim != len(shape)
        or any(own > all_ for own, all_ in zip(shape, found.shape, strict=True))
    ):
        has = "none" if found is None else "×".join(map(str, found.shape))
        raise SpaceError(
            f"the student is no part of the supernet: its {name} is {'×'.join(map(str, shape))}, "
            f"that of the supernet {has}"
        )
    return found[tuple(slice(each) for each in shape)]
