"""Compare the outputs of an exported format with those of the network."""

from collections.abc import Sequence

import torch
from torch import Tensor

from diswot.errors import ExportError

TOLERANCE = 1e-5
"""Accepted deviation of fp32 outputs, relative to the largest output."""


def check_same(form: str, outputs: Sequence[Tensor], expected: Sequence[Tensor]) -> float:
    """Return the largest deviation of outputs, relative to the largest expected output.

    Args:
        form: name of the exported file, for messages.
        outputs: outputs of the exported format, one tensor per case.
        expected: outputs of the network for the same cases.

    Raises:
        ExportError: shapes differ, or the deviation exceeds the tolerance.
    """
    shapes, wanted = ([tuple(item.shape) for item in every] for every in (outputs, expected))
    if shapes != wanted:
        raise ExportError(
            f"{form} is not the same network: expected outputs of shapes {wanted}, but got {shapes}"
        )
    result, known = (torch.cat([item.flatten() for item in every]) for every in (outputs, expected))
    difference = float((result - known).abs().max() / known.abs().max().clamp_min(1))
    if not difference <= TOLERANCE:
        raise ExportError(
            f"{form} is not the same network: its outputs differ by {difference:.2g} of the "
            f"largest, more than {TOLERANCE:g}"
        )
    return difference
