"""Built-in teachers for landmarks."""

from collections.abc import Mapping

from torch import nn

from diswot.teachers import BuiltIn, TeacherSources
from search_spaces import MobileSpace, Signature


def mobile_medium(signature: Signature) -> nn.Module:
    """Return a network of inverted residuals of half the width, one to a stage.

    Examples:
        >>> from search_spaces import TensorSpec
        >>> network = mobile_medium(Signature((TensorSpec("images", (1, 16, 16)),), 32))
        >>> sum(parameter.numel() for parameter in network.parameters())
        68184
    """
    return _mobile(signature, 0.5, False, "relu", "d1k3e4")


def mobile_large(signature: Signature) -> nn.Module:
    """Return a network of inverted residuals, two to a stage, with squeeze-and-excitation."""
    return _mobile(signature, 1.0, True, "hardswish", "d2k3e4")


def _mobile(
    signature: Signature, width: float, squeeze: bool, activation: str, stage: str
) -> nn.Module:
    side = signature.inputs[0].shape[1] or 0
    space = MobileSpace(image_size=side, resolutions=(side,))
    arch = space.architecture(side, width, squeeze, activation, *[stage] * 5)
    return space.network(arch, signature)


NETWORKS: Mapping[str, BuiltIn] = {
    "mobile-medium": BuiltIn(
        "MobileNetV2-like, half the width, one block a stage; 0.07M parameters for 16 points",
        mobile_medium,
    ),
    "mobile-large": BuiltIn(
        "MobileNetV2-like with squeeze-and-excitation, two blocks a stage; 0.6M parameters for 16 "
        "points",
        mobile_large,
    ),
}

SOURCES = TeacherSources(NETWORKS)
"""Possible values of `--teacher` for landmarks."""
