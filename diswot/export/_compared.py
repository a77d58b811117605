"""When an exported form counts as the same network."""

from torch import Tensor

from diswot.errors import ExportError

TOLERANCE = 1e-5
"""Of outputs in single precision, in units of the largest output."""


def check_same(form: str, outputs: Tensor, expected: Tensor) -> float:
    """Return the largest difference between outputs, in units of the largest one expected.

    Raises:
        ExportError: they have other shapes, or differ by more than the tolerance.
    """
    if outputs.shape != expected.shape:
        raise ExportError(
            f"{form} is not the same network: expected outputs of shape {tuple(expected.shape)}, "
            f"but got {tuple(outputs.shape)}"
        )
    difference = float((outputs - expected).abs().max() / expected.abs().max().clamp_min(1))
    if not difference <= TOLERANCE:
        raise ExportError(
            f"{form} is not the same network: its outputs differ by {difference:.2g} of the "
            f"largest, more than {TOLERANCE:g}"
        )
    return difference
