"""S0 with its distilled accuracies alone."""

from dataclasses import dataclass
from pathlib import Path

from benchmarks.ground_truths._catalogue import find_truth
from benchmarks.ground_truths._ground_truth import Vector
from search_spaces import Architecture, SearchSpace


@dataclass(frozen=True, eq=False)
class OneTarget:
    """Architectures of a space, and one accuracy in % of each on `data`."""

    space: SearchSpace
    data: str
    architectures: tuple[Architecture, ...]
    accuracies: Vector


def resnet_s0(root: Path) -> OneTarget:
    """Return the 64 networks of S0 with their distilled CIFAR-100 accuracy."""
    truth = find_truth("resnet-s0", root)
    return OneTarget(truth.space, truth.data, truth.architectures, truth.accuracies("distilled"))
