"""Whether a teacher's outputs are in the order they are taken in, as its answers tell."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from diswot.errors import TeacherError
from diswot.networks.output import output_of
from diswot.progress import Progress, news, silent
from diswot.tasks.images import ImageData, Split
from diswot.teachers._class_order import ClassOrder, labels_in, shortened
from diswot.teachers._teacher import Teacher

MOST_IMAGES = 256
"""That a teacher answers for the check."""

_TOGETHER = 64
_KNOWS = 0.3
"""Of the way from always naming one class to always being right, from which a network is taken
for a trained one."""

_CONVINCING = 0.5
"""Accuracy of outputs that were assigned to the classes they fit best, likewise."""

_RIGHT_ENOUGH = 0.9
"""Accuracy of the first images at which no other order is looked for."""


@dataclass(frozen=True)
class OrderCheck:
    """What a teacher's answers tell about the order of its outputs.

    Attributes:
        order: in which its outputs are taken.
        outputs: which output was the largest, for each image.
        labels: the class of each image.
    """

    order: ClassOrder
    outputs: NDArray[np.int64]
    labels: NDArray[np.int64]

    @property
    def accuracy(self) -> float:
        """In the order in use."""
        return self._accuracy(self.order.labels)

    @property
    def better(self) -> str | None:
        """An order with a name that is better by more than chance, and what it is; or `None`."""
        classes = self.order.classes
        found = {name: labels_in(name, classes) for name in ("data", "natural", "text")}
        best = max(found, key=lambda name: self._accuracy(found[name]))
        if not self._beats(self._right(found[best])):
            return None
        names = shortened([classes[label] for label in found[best]])
        return (
            f"{self.accuracy:.0%} accuracy with its outputs in the order {self.order}, but "
            f"{self._accuracy(found[best]):.0%} in {best} order ({names}), on {len(self.labels)} "
            f"images: say --teacher-classes {best}"
        ).replace("%", " %")

    @property
    def reassigned(self) -> str | None:
        """That some other order is better by more than chance, and how it begins; or `None`.

        The best one-to-one assignment of outputs to classes is found on half of the images
        and counted on the other half, both ways.
        """
        halves = [np.arange(len(self.labels)) % 2 == part for part in (0, 1)]
        right = np.zeros(len(self.labels), dtype=bool)
        for fitted, counted in (halves, halves[::-1]):
            assigned = np.array(self._assigned(fitted))
            right[counted] = assigned[self.outputs[counted]] == self.labels[counted]
        if not self._beats(right) or right.mean() < _CONVINCING:
            return None
        whole = self._assigned(np.ones(len(self.labels), dtype=bool))
        names = shortened([self.order.classes[label] for label in whole])
        return (
            f"{self.accuracy:.0%} accuracy with its outputs in the order {self.order}, but "
            f"{right.mean():.0%} if they are in another order that begins with {names}: name "
            "their classes with --teacher-classes FILE (a name on each line)"
        ).replace("%", " %")

    def _right(self, labels: tuple[int, ...]) -> NDArray[np.bool_]:
        return np.asarray(np.array(labels)[self.outputs] == self.labels)

    def _accuracy(self, labels: tuple[int, ...]) -> float:
        return float(self._right(labels).mean())

    def _beats(self, right: NDArray[np.bool_]) -> bool:
        """Tell whether answers are better than those in use, and than one class for all images."""
        from scipy.stats import binomtest

        used = self._right(self.order.labels)
        gained, lost = int((right & ~used).sum()), int((used & ~right).sum())
        one_class = np.bincount(self.labels).max() / len(self.labels)
        if gained <= lost or right.mean() < one_class + _KNOWS * (1 - one_class):
            return False
        return bool(binomtest(gained, gained + lost, alternative="greater").pvalue < 1e-3)

    def _assigned(self, some: NDArray[np.bool_]) -> tuple[int, ...]:
        """Return the label of each output that makes the most of some images right."""
        from scipy.optimize import linear_sum_assignment

        count = len(self.order.classes)
        table = np.zeros((count, count))
        np.add.at(table, (self.outputs[some], self.labels[some]), 1)
        table[np.arange(count), self.order.labels] += 1e-3  # where nothing tells, as it was
        return tuple(map(int, linear_sum_assignment(table, maximize=True)[1]))


@torch.no_grad()
def check_order(
    order: ClassOrder, network: nn.Module, data: ImageData, *, device: str = "cpu"
) -> OrderCheck:
    """Let a teacher answer for a few images: those of the validation split first.

    Args:
        order: in which its outputs are taken.
        network: the teacher, whose outputs are in the order of the data's classes.
        data: what its images and labels are.
        device: where to compute.
    """
    network.to(device).eval()
    back = torch.tensor(order.labels).argsort()  # label → output
    outputs: list[int] = []
    split = sampled(data)
    for start in range(0, len(split), _TOGETHER):
        images = data.normalise(split.images[start : start + _TOGETHER].to(device))
        answers = output_of(network(images)).argmax(1).cpu()
        outputs += back[answers].tolist()
        right = torch.tensor(order.labels)[outputs] == split.labels[: len(outputs)]
        if right.float().mean() >= _RIGHT_ENOUGH:
            break
    return OrderCheck(order, np.array(outputs), split.labels[: len(outputs)].numpy())


def sampled(data: ImageData, most: int = MOST_IMAGES) -> Split:
    """Return some of the validation images, and training images where these are few.

    They are drawn at random, always the same ones: class folders are stored in order.
    """
    generator = torch.Generator().manual_seed(0)
    val, train = (
        split.take(torch.randperm(len(split), generator=generator)[:most])
        for split in (data.val, data.train)
    )
    return Split(
        torch.cat([val.images, train.images])[:most], torch.cat([val.labels, train.labels])[:most]
    )


def checked_order(
    teacher: Teacher,
    network: nn.Module,
    data: ImageData,
    *,
    device: str = "cpu",
    force: bool = False,
    progress: Progress = silent,
) -> OrderCheck | None:
    """Make sure that a teacher's outputs are in the order they are taken in, unless it was named.

    Args:
        teacher: what it is.
        network: it, with its weights.
        data: what its images and labels are.
        device: where to compute.
        force: whether to take it in an order that is worse than another.
        progress: receives a warning where no order that has a name explains its answers.

    Returns:
        What its answers tell; `None` of a teacher that was trained on these classes here.

    Raises:
        TeacherError: another order is better by more than chance.
    """
    if teacher.order is None:
        return None
    check = check_order(teacher.order, network, data, device=device)
    if check.better is not None and not (force or teacher.order.named):
        raise TeacherError(
            f"teacher {teacher.name} has {check.better}, or --teacher-classes data to keep "
            "the order of the data's classes"
        )
    problem = check.better or check.reassigned
    if problem is not None:
        progress(news("teacher", f"warning: {teacher.name} has {problem}"))
    return check
