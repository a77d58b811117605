"""How good a network is: right answers with an interval, and whether that is more than chance."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from diswot.networks import named
from diswot.networks.output import run
from diswot.tasks import MOST_AT_ONCE
from diswot.tasks.images import ImageData, Split, batches

if TYPE_CHECKING:
    from accelerate import Accelerator

LEAST_KAPPA = 0.02
"""Of a teacher that knows something."""


@dataclass(frozen=True)
class Accuracy:
    """Right answers of `total`, with the 95 % Wilson interval of the rate.

    Examples:
        >>> Accuracy(90, 100)
        Accuracy(correct=90, total=100)
        >>> str(Accuracy(90, 100))
        '90.0 % [82.6, 94.5]'
    """

    correct: int
    total: int

    @property
    def rate(self) -> float:
        """Right answers over all answers."""
        return self.correct / self.total

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % Wilson interval; it covers the choice of test images, not of the seed."""
        # imported here: commands that judge nothing need not wait for it
        from scipy.stats import binomtest

        found = binomtest(self.correct, self.total).proportion_ci(method="wilson")
        return float(found.low), float(found.high)

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.rate:.1%} [{low:.1%}, {high:.1%}]".replace("%", "").replace(" [", " % [")


def near_chance(accuracy: Accuracy, num_classes: int) -> bool:
    """Tell whether a network may know nothing of its classes, as far as the images tell.

    Kappa, the accuracy beyond that of guessing as a share of what there is beyond it, is
    taken at the lower end of the 95 % interval, (low − 1/k) / (1 − 1/k) for k classes;
    below 0.02 is near chance. Source: Cohen, "A coefficient of agreement for nominal
    scales", 1960, with the agreement by chance of equally frequent classes.

    Examples:
        >>> near_chance(Accuracy(130, 1000), 10), near_chance(Accuracy(150, 1000), 10)
        (True, False)
    """
    low, _ = accuracy.interval
    return (low - 1 / num_classes) / (1 - 1 / num_classes) < LEAST_KAPPA


def evaluate(network: nn.Module, data: ImageData, split: Split, *, device: str = "cpu") -> Accuracy:
    """Return the accuracy of `network` on a split, in evaluation mode."""
    return Accuracy(_count_right(network, data, split, device=device), len(split))


def evaluate_together(
    network: nn.Module, data: ImageData, split: Split, accelerator: "Accelerator", *, device: str
) -> Accuracy:
    """Return the accuracy of `network` on a split, of which every process counts a share."""
    if accelerator.num_processes > 1:
        from accelerate.utils import broadcast

        for buffer in network.buffers():  # statistics of a process's own share
            buffer.copy_(broadcast(buffer.clone()))
    correct = _count_right(
        network,
        data,
        split,
        device=device,
        part=accelerator.process_index,
        of=accelerator.num_processes,
    )
    counted = accelerator.reduce(torch.tensor([correct], device=device), "sum")
    return Accuracy(int(counted), len(split))


@torch.no_grad()
def _count_right(
    network: nn.Module, data: ImageData, split: Split, *, device: str, part: int = 0, of: int = 1
) -> int:
    """Return how many images of one of `of` equal parts of a split are answered rightly."""
    found = _right(network, data, split, device=device, part=part, of=of)
    return sum(int(batch.sum()) for batch in found)


@torch.no_grad()
def right_answers(
    network: nn.Module, data: ImageData, split: Split, *, device: str = "cpu"
) -> Tensor:
    """Return whether `network` classifies each image of a split correctly (N,)."""
    return torch.cat(list(_right(network, data, split, device=device)))


def _right(
    network: nn.Module, data: ImageData, split: Split, *, device: str, part: int = 0, of: int = 1
) -> Iterator[Tensor]:
    """Yield it batch by batch, of every `of`-th batch from `part` on."""
    network.to(device).eval()
    who = named(network)
    for number, batch in enumerate(batches(split, MOST_AT_ONCE)):
        if number % of == part:
            logits = run(network, data.normalise(batch.images.to(device)), who=who)
            yield logits.argmax(1).cpu() == batch.labels
