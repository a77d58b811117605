"""The layer space of NAS-Bench-Macro."""

from torch import nn

from search_spaces._choice_space import Choice, ChoiceSpace
from search_spaces._contract import Architecture
from search_spaces._inverted_residual import InvertedResidual, convolution

OPERATIONS = {"id": None, "k3": (3, 3), "k5": (5, 6)}
"""Kernel and expansion of each option; `id` is the identity."""

STAGES = (2, 3, 3)
"""Layers per stage; the first halves the resolution and doubles the channels."""

STEM = 32
LAST = 1280


class NASBenchMacroSpace(ChoiceSpace):
    """The 6,561 networks of NAS-Bench-Macro: eight layers with three options each.

    Source: Su et al., "Prioritized Architecture Sampling with Monto-Carlo Tree Search", CVPR
    2021, section 5. A layer is `id` (the identity, or at the start of a stage a 1×1 convolution
    of stride 2), `k3` (an inverted residual of kernel 3 and expansion 3) or `k5` (kernel 5,
    expansion 6). The networks compute the same functions and have the same costs as in the
    benchmark. An architecture is written `l1=id,l2=k5,…,l8=k3`.

    Args:
        in_channels: channels of the images.

    Raises:
        ValueError: `in_channels` is below 1.

    Examples:
        >>> space = NASBenchMacroSpace()
        >>> space.size
        6561
        >>> arch = space.from_string("l1=k3,l2=id,l3=id,l4=id,l5=k5,l6=k5,l7=id,l8=k3")
        >>> space.canonical_key(arch)
        'k3/id-k5/k5-k3'
    """

    def __init__(self, *, in_channels: int = 3) -> None:
        if in_channels < 1:
            raise ValueError(f"Expected in_channels of at least 1, but got {in_channels}")
        super().__init__({f"l{number}": Choice(*OPERATIONS) for number in range(1, 9)})
        self.in_channels = in_channels

    def build(self, arch: Architecture, num_classes: int) -> nn.Module:
        """Build stem, the eight layers, a 1×1 convolution to 1,280 channels and the head."""
        layers = [*convolution(self.in_channels, STEM, 3, activation="relu")]
        channels = STEM
        for operations in _stages(arch):
            for index, operation in enumerate(operations):
                width = 2 * channels if index == 0 else channels
                layers.append(_layer(operation, channels, width))
                channels = width
        layers += convolution(channels, LAST, 1, activation="relu")
        head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(LAST, num_classes)]
        return nn.Sequential(*layers, *head)

    def canonical_key(self, arch: Architecture) -> str:
        """Return the layers of each stage without identities.

        The 6,561 architectures have 3,969 distinct keys.
        """
        stages = ((first, *(o for o in rest if o != "id")) for first, *rest in _stages(arch))
        return "/".join("-".join(stage) for stage in stages)


def _stages(arch: Architecture) -> list[tuple[str, ...]]:
    starts = [sum(STAGES[:number]) for number in range(len(STAGES))]
    return [tuple(arch[s : s + n]) for s, n in zip(starts, STAGES, strict=True)]


def _layer(operation: str, in_channels: int, out_channels: int) -> nn.Module:
    halves = in_channels != out_channels
    if (kind := OPERATIONS[operation]) is not None:
        kernel, expansion = kind
        return InvertedResidual(
            in_channels,
            out_channels,
            stride=2 if halves else 1,
            kernel=kernel,
            expansion=expansion,
        )
    return convolution(in_channels, out_channels, 1, stride=2) if halves else nn.Identity()
