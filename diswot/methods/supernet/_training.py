"""Training a supernet without labels, by the sandwich rule."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from diswot.losses import Losses
from diswot.methods.supernet._objective import Objective, Relations
from diswot.networks.meta import build_on_meta
from diswot.tasks import Batch, Examples, Measure, Metric, SplitName
from diswot.tasks.text import mean_of_texts
from diswot.training import Method, Player, teachers_of
from search_spaces import Architecture, SearchSpace, Signature

RANDOM = 2
"""Number of random students per step, in addition to the largest and the smallest."""

_AT_ONCE = 64


class SupernetMethod(Method):
    """Trains a supernet without labels, by default on a teacher's attention relations.

    In each step, gradients are summed over the largest, the smallest and a few random students
    (the sandwich rule).

    Source: AutoDistil (Xu et al., NeurIPS 2022), algorithm 1 and equation 5; the sandwich rule is
    from Yu and Huang, "Universally Slimmable Networks", ICCV 2019, section 3.2.

    Args:
        supernet: the network of an architecture that contains all of `archs`.
        teacher: the teacher.
        archs: architectures of the students, the smallest first and the largest last.
        space: the search space, which builds the networks.
        signature: shapes of the networks' inputs and outputs.
        objective: the loss of a student; by default the relation distillation loss.
        random: number of random students per step.
    """

    def __init__(
        self,
        supernet: nn.Module,
        teacher: nn.Module,
        *,
        archs: Sequence[Architecture],
        space: SearchSpace,
        signature: Signature,
        objective: Objective | None = None,
        random: int = RANDOM,
    ) -> None:
        super().__init__(supernet, {"teacher": teacher})
        self._archs, self._space, self._signature = tuple(archs), space, signature
        self.objective = objective or Relations(teacher)
        self._random = random
        self._skeletons: dict[Architecture, nn.Module] = {}

    @property
    def name(self) -> str:
        """Name of the objective."""
        return self.objective.name

    @property
    def settings(self) -> dict[str, Any]:
        """Objective, students and a hash of the teacher, for the fingerprint of the training."""
        names = [self._space.to_string(arch) for arch in self._archs]
        return {
            "loss": self.name,
            "students": names,
            "random": self._random,
            **teachers_of(self.teachers),
        }

    def players(self) -> Mapping[str, Player]:
        """Return one player: all parameters of the supernet."""
        return {"student": Player(list(self.student.parameters()))}

    def losses(self, _player: str, batch: Batch, _progress: float) -> Losses:
        """Return the sum of the losses of the step's students; labels are not used."""
        target = self.objective.target(batch)
        results = {
            role: self.objective.loss(self.student, student, target, batch)
            for role, student in self._drawn().items()
        }
        terms = {role: loss.detach() for role, loss in results.items()}
        return Losses(torch.stack(list(results.values())).sum(), terms)

    def _drawn(self) -> dict[str, nn.Module]:
        """Return the students of a step; random ones are drawn by torch's global generator."""
        indices = torch.randint(len(self._archs), (self._random,)).tolist()
        # The sandwich rule: the largest, the smallest, and random students per step.
        drawn = {"largest": -1, "smallest": 0}
        drawn |= {f"random-{number}": index for number, index in enumerate(indices, 1)}
        return {role: self.skeleton(self._archs[index]) for role, index in drawn.items()}

    def skeleton(self, arch: Architecture) -> nn.Module:
        """Return the network of an architecture on the meta device, without weights."""
        if arch not in self._skeletons:
            # Skeletons have no storage: their parameters are replaced by views of the supernet's.
            self._skeletons[arch] = build_on_meta(
                lambda: self._space.network(arch, self._signature)
            )
        return self._skeletons[arch]

    @cached_property
    def held_out(self) -> "HeldOutLoss":
        """Metric: the mean loss of the largest, the smallest and the middle student."""
        # Validate on the largest, the smallest and the median architecture.
        places = dict.fromkeys((len(self._archs) - 1, 0, len(self._archs) // 2))
        students = [self.skeleton(self._archs[index]) for index in places]
        return HeldOutLoss(self.objective, students)


class HeldOutLoss(Metric):
    """Metric of a supernet: the mean loss of some of its students, without labels.

    Args:
        objective: the loss.
        students: networks on the meta device.
    """

    higher_is_better = False

    def __init__(self, objective: Objective, students: Sequence[nn.Module]) -> None:
        self._objective, self._students = objective, students
        self.name, self.unit = objective.measured, objective.unit

    def measure(
        self, network: nn.Module, dataset: Examples, split: SplitName, *, device: str = "cpu"
    ) -> Measure:
        """Return the mean loss of a supernet's students, with its 95 % interval over texts."""
        return self.summarize(self._by_text(network, dataset, split, device=device), dataset, split)

    @torch.no_grad()
    def _by_text(
        self, network: nn.Module, dataset: Examples, split: SplitName, *, device: str = "cpu"
    ) -> Tensor:
        """Return the mean loss of a supernet's students for each text, (n,)."""
        network.to(device).eval()
        results = []
        for indices in torch.split(torch.arange(dataset.size(split)), _AT_ONCE):
            batch = dataset.batch(split, indices, device=device)
            target = self._objective.target(batch)
            losses = [
                self._objective.loss(network, student, target, batch, by_text=True)
                for student in self._students
            ]
            results.append(torch.stack(losses).double().mean(dim=0).cpu())
        return torch.cat(results)

    def values(self, _output: Tensor, _batch: Batch) -> Tensor:
        """Not defined: the loss depends on several students, not on one output.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("the loss of a supernet follows from several students")

    def is_near_chance(self, _values: Tensor, _dataset: Examples, _split: SplitName) -> bool:
        """Return `False`: there is no chance level for this loss."""
        return False

    def summarize(self, values: Tensor, _dataset: Examples, _split: SplitName) -> Measure:
        """Return the mean over texts with the 95 % interval of Student's t."""
        return mean_of_texts(self, values)
