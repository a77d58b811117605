"""Training a supernet without labels, by the sandwich rule."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from diswot.losses import Losses
from diswot.methods.supernet._objective import Relations, mean_loss
from diswot.networks.meta import build_on_meta
from diswot.tasks import Batch, Examples, Measure, Metric, SplitName
from diswot.training import Method, Player, teachers_of
from search_spaces import Architecture, SearchSpace, Signature

RANDOM = 2
"""Students of a step that are drawn at random, in addition to the largest and the smallest."""

_AT_ONCE = 64


class SupernetMethod(Method):
    """A supernet learns the teacher's attention relations, of several students in each step.

    In each step gradients are summed over the largest and the smallest student and over some that
    are drawn at random (the sandwich rule).

    Source: AutoDistil (Xu et al., NeurIPS 2022), algorithm 1 and equation 5; the sandwich rule is
    that of Yu and Huang, "Universally Slimmable Networks", ICCV 2019, section 3.2.

    Args:
        supernet: the network of the architecture that covers all of `archs`.
        teacher: learned from.
        archs: the students, the smallest first and the largest last.
        space: builds their networks.
        signature: what they take and give.
        after_softmax: where relations are compared.
        random: students of a step that are drawn at random.
    """

    def __init__(
        self,
        supernet: nn.Module,
        teacher: nn.Module,
        *,
        archs: Sequence[Architecture],
        space: SearchSpace,
        signature: Signature,
        after_softmax: bool = True,
        random: int = RANDOM,
    ) -> None:
        super().__init__(supernet, {"teacher": teacher})
        self._archs, self._space, self._signature = tuple(archs), space, signature
        self._objective = Relations(teacher, after_softmax)
        self._random = random
        self._skeletons: dict[Architecture, nn.Module] = {}

    @property
    def name(self) -> str:
        """The objective."""
        return "relations" if self._objective.after_softmax else "relations-raw"

    @property
    def settings(self) -> dict[str, Any]:
        """The objective, the students, and a hash of the teacher."""
        names = [self._space.to_string(arch) for arch in self._archs]
        return {
            "loss": self.name,
            "students": names,
            "random": self._random,
            **teachers_of(self.teachers),
        }

    def players(self) -> Mapping[str, Player]:
        """Return the supernet."""
        return {"student": Player(list(self.student.parameters()))}

    def losses(self, _player: str, batch: Batch, _progress: float) -> Losses:
        """Return the sum of the losses of the step's students; labels are not read."""
        target = self._objective.target(*batch.inputs)
        found = {
            role: self._objective.loss(self.student, student, target, *batch.inputs)
            for role, student in self._drawn().items()
        }
        terms = {role: loss.detach() for role, loss in found.items()}
        return Losses(torch.stack(list(found.values())).sum(), terms)

    def _drawn(self) -> dict[str, nn.Module]:
        """Return the students of a step; those at random follow from torch's global generator."""
        places = torch.randint(len(self._archs), (self._random,)).tolist()
        drawn = {"largest": -1, "smallest": 0}
        drawn |= {f"random-{number}": place for number, place in enumerate(places, 1)}
        return {role: self.skeleton(self._archs[place]) for role, place in drawn.items()}

    def skeleton(self, arch: Architecture) -> nn.Module:
        """Return the network of an architecture without weights of its own."""
        if arch not in self._skeletons:
            self._skeletons[arch] = build_on_meta(
                lambda: self._space.network(arch, self._signature)
            )
        return self._skeletons[arch]

    @cached_property
    def held_out(self) -> "HeldOutLoss":
        """The mean loss of the largest, the smallest and the middle student on a split."""
        places = dict.fromkeys((len(self._archs) - 1, 0, len(self._archs) // 2))
        students = [self.skeleton(self._archs[place]) for place in places]
        return HeldOutLoss(self._objective, students)


class HeldOutLoss(Metric):
    """The mean loss of some students of a supernet on texts of a split; no labels are read.

    Args:
        objective: the loss.
        students: networks without weights.
    """

    name = "relation loss"
    unit = ""
    higher_is_better = False

    def __init__(self, objective: Relations, students: Sequence[nn.Module]) -> None:
        self._objective, self._students = objective, students

    @torch.no_grad()
    def measure(
        self, network: nn.Module, dataset: Examples, split: SplitName, *, device: str = "cpu"
    ) -> Measure:
        """Return the mean loss of a supernet's students; its range is that of the batches."""
        network.to(device).eval()
        losses = []
        for places in torch.split(torch.arange(dataset.size(split)), _AT_ONCE):
            batch = dataset.batch(split, places, device=device)
            losses.append(mean_loss(self._objective, network, self._students, *batch.inputs))
        found = torch.stack(losses).double()
        low, high = float(found.min()), float(found.max())
        return Measure(
            self.name,
            float(found.mean()),
            low,
            high,
            dataset.size(split),
            self.unit,
            self.higher_is_better,
        )

    def values(self, _output: Tensor, _batch: Batch) -> Tensor:
        """Raise: it is no number of each example.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("the loss of a supernet is measured as a whole")

    def is_near_chance(self, _values: Tensor, _dataset: Examples, _split: SplitName) -> bool:
        """Return `False`: chance has no loss of its own."""
        return False

    def summarize(self, _values: Tensor, _dataset: Examples, _split: SplitName) -> Measure:
        """Raise: it is no number of each example.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("the loss of a supernet is measured as a whole")
