"""When an exported form counts as the same network."""

from collections.abc import Sequence

import torch
from torch import Tensor

from diswot.errors import ExportError

TOLERANCE = 1e-5
"""Of outputs in single precision, in units of the largest output."""


def check_same(form: str, outputs: Sequence[Tensor], expected: Sequence[Tensor]) -> float:
    """Return the largest difference between outputs, in units of the largest one expected.

    Args:
        form: what is compared.
        outputs: of each case that it was run on.
        expected: the network's own.

    Raises:
        ExportError: they have other shapes, or differ by more than the tolerance.
    """
    shapes, wanted = ([tuple(each.shape) for each in every] for every in (outputs, expected))
    if shapes != wanted:
        raise ExportError(
            f"{form} is not the same network: expected outputs of shapes {wanted}, but got {shapes}"
        )
    found, known = (torch.cat([each.flatten() for each in every]) for every in (outputs, expected))
    difference = float((found - known).abs().max() / known.abs().max().clamp_min(1))
    if not difference <= TOLERANCE:
        raise ExportError(
            f"{form} is not the same network: its outputs differ by {difference:.2g} of the "
            f"largest, more than {TOLERANCE:g}"
        )
    return difference
