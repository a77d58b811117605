"""What students are trained with, and the students of one run."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, cast

from torch import nn

from diswot.copies import copied
from diswot.distillation import (
    Distillation,
    Halving,
    TrainedTeacher,
    Training,
    halve,
    prepare_distillation,
)
from diswot.latency import time_network
from diswot.main_job._report import Row
from diswot.options import DistillationOptions, options_of
from diswot.progress import Progress
from diswot.search import Candidate, measure_costs
from diswot.seeding import seed_for
from diswot.teachers import Teacher


class Lessons:
    """What students are trained with, prepared when it is first needed."""

    def __init__(
        self, teacher: str | nn.Module | Teacher, options: Mapping[str, Any], progress: Progress
    ) -> None:
        self._teacher = teacher
        self._options = options
        self.seed: int = options.get("seed", 0)
        self.progress = progress

    @cached_property
    def distillation(self) -> Distillation:
        """The teacher with weights, trained now where it has none, the data and the recipe."""
        return prepare_distillation(
            self._teacher,
            data=self._options["data"],
            progress=self.progress,
            **cast(DistillationOptions, options_of(DistillationOptions, self._options)),
        )

    def trained_teacher(self) -> Teacher:
        """Return the teacher with its weights."""
        return cast(TrainedTeacher, self.distillation.teacher).source  # one is always given


@dataclass(frozen=True)
class Trained:
    network: nn.Module
    report: Training


class Students:
    """Builds candidates with one initialisation, trains and measures them."""

    def __init__(
        self, distillation: Distillation, folder: Path, seed: int, progress: Progress
    ) -> None:
        self._distillation = distillation
        self._folder = folder
        self._seed = seed
        self.progress = progress

    def train(self, candidate: Candidate, loss: str, *, label: str | None = None) -> Trained:
        """Train a fresh network of `candidate`, unless that was done; `label` names its folder."""
        student, name = self._build(candidate), label or loss
        training = self._distillation.train_once(
            student,
            loss=loss,
            folder=self._folder / name,
            progress=self.progress,
            stage=name,
            anew=True,
        )
        return Trained(student, training)

    def chosen(self, shortlist: Sequence[Candidate]) -> tuple[Candidate, Halving | None]:
        """Return whom successive halving chooses of a shortlist, and how."""
        if len(shortlist) == 1:
            return shortlist[0], None
        found = halve(
            {candidate.name: partial(self._build, candidate) for candidate in shortlist},
            self._distillation,
            loss="diswot",
            folder=self._folder / "diswot",
            progress=self.progress,
            anew=True,
        )
        best = next(candidate for candidate in shortlist if candidate.name == found.best)
        return best, found

    def teacher_rows(self) -> Iterator[Row]:
        """Return the row of the teacher, where there is one."""
        if self._distillation.teacher is not None:
            teacher, shape = self._distillation.teacher, self._distillation.data.shape
            yield Row(
                "teacher",
                teacher.source.name,
                measure_costs(lambda: copied(teacher.network).to("meta"), shape),
                self._milliseconds(teacher.network),
                accuracies={"alone": teacher.accuracy},
            )

    def plain_row(self, label: str, choice: Candidate, *, compare: bool) -> Row:
        """Return the row of a plain choice, distilled like the winner if `compare`."""
        reports: dict[str, Training] = {}
        if compare and choice.failure is None:
            reports["diswot"] = self.train(choice, "diswot", label=label).report
        return self.row(label, choice, reports)

    def row(self, label: str, candidate: Candidate, reports: Mapping[str, Training]) -> Row:
        """Return the row of a candidate with the accuracies of its trainings."""
        latency = self._milliseconds(self._build(candidate))
        accuracies = {loss: report.test for loss, report in reports.items()}
        return Row(label, candidate.name, candidate.costs, latency, candidate.score, accuracies)

    def _milliseconds(self, network: nn.Module) -> float:
        shape, device = self._distillation.data.shape, self._distillation.device
        return time_network(network, shape, device=device).median_ms

    def _build(self, candidate: Candidate) -> nn.Module:
        return candidate.build(seed=seed_for(self._seed, "student", candidate.key))
