"""Built-in teachers for source code."""

from collections.abc import Mapping

from torch import nn

from diswot.errors import TeacherError
from diswot.teachers import BuiltIn, TeacherSources
from search_spaces import GatedConvolutionSpace, Signature


def gated_medium(signature: Signature) -> nn.Module:
    """Return two gated convolutions of 48 channels with 16 slots of memory.

    Examples:
        >>> from search_spaces import TensorSpec
        >>> network = gated_medium(Signature((TensorSpec("input_ids", (64,), "int64", high=200),
        ...                                   TensorSpec("attention_mask", (64,), "bool")), 5))
        >>> sum(parameter.numel() for parameter in network.parameters())
        174197
    """
    return _gated(signature, width=48, slots=16, depth=2)


def gated_large(signature: Signature) -> nn.Module:
    """Return three gated convolutions of 96 channels with 32 slots of memory."""
    return _gated(signature, width=96, slots=32, depth=3)


def _gated(signature: Signature, *, width: int, slots: int, depth: int) -> nn.Module:
    """Return a network with kernels of 3, 5 and 7 tokens.

    Raises:
        TeacherError: the data are not tokens.
    """
    space = GatedConvolutionSpace(
        width=(width,), kernels=("3+5+7",), slots=(slots,), depth=(depth,)
    )
    try:
        return space.network(space.architecture(width, "3+5+7", slots, depth), signature)
    except ValueError as error:
        raise TeacherError(f"{error}: choose another teacher") from error


NETWORKS: Mapping[str, BuiltIn] = {
    "gated-medium": BuiltIn(
        "2 gated convolutions of 48 channels, 16 slots of memory; 0.2M parameters for 200 tokens",
        gated_medium,
    ),
    "gated-large": BuiltIn(
        "3 gated convolutions of 96 channels, 32 slots of memory; 1.0M parameters for 200 tokens",
        gated_large,
    ),
}

SOURCES = TeacherSources(NETWORKS)
"""Possible values of `--teacher` for source code."""
