"""Train and measure the students of a run."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, cast

from torch import nn

from diswot.errors import DivergedError, first_line
from diswot.latency import time_network
from diswot.methods import RunMethod
from diswot.networks.copies import copied
from diswot.networks.costs import costs_of
from diswot.options import EAGER, RUNTIMES, DistillationOptions, options_of
from diswot.pipeline._comparing import TrainedStudent
from diswot.pipeline._report import Row
from diswot.progress import Progress, message
from diswot.search import Candidate
from diswot.seeding import seed_for
from diswot.tasks import Dataset, Measure, values_of
from diswot.teachers import Teacher
from diswot.training import (
    Distillation,
    Halving,
    TrainedTeacher,
    Training,
    halve,
    parse_objective,
    prepare_distillation,
)


class TrainingSetup:
    """Teacher, data and recipe of a run, prepared on first use.

    Args:
        teacher: a name, `package.module:callable`, a network, or a `Teacher`.
        options: options of the run, with the loaded data.
        progress: receives every step.
        method: the method of the run.
        own: options of the method, including defaults.

    Attributes:
        losses: losses with which the winner is trained.
    """

    def __init__(
        self,
        teacher: str | nn.Module | Teacher,
        options: Mapping[str, Any],
        progress: Progress,
        *,
        method: RunMethod,
        own: Mapping[str, Any],
    ) -> None:
        self._teacher = teacher
        self._options = options
        self._make = method.training(own)
        self.losses = method.losses(options["data"].task, own)
        self.seed: int = options.get("seed", 0)
        self.progress = progress

    @cached_property
    def distillation(self) -> Distillation:
        """Teacher with weights (trained first if it has none), data and recipe."""
        prepared = prepare_distillation(
            self._teacher,
            data=self._options["data"],
            progress=self.progress,
            **cast(DistillationOptions, options_of(DistillationOptions, self._options)),
        )
        return replace(prepared, make=self._make)

    def trained_teacher(self) -> Teacher:
        """Return the teacher with its weights."""
        return cast(TrainedTeacher, self.distillation.teacher).source  # one is always given


@dataclass(frozen=True)
class Trained:
    network: nn.Module
    report: Training


@dataclass(frozen=True)
class Attempts:
    """Results of a candidate's trainings.

    Attributes:
        trained: finished trainings by loss.
        failures: errors of trainings that diverged, by loss.
    """

    trained: Mapping[str, Trained]
    failures: Mapping[str, DivergedError]

    @property
    def untried(self) -> bool:
        """Whether no training was started."""
        return not self.trained and not self.failures

    @property
    def reports(self) -> dict[str, Training]:
        """Results of the finished trainings by loss."""
        return {loss: item.report for loss, item in self.trained.items()}


@dataclass(frozen=True)
class Timing:
    """How the latencies of a run's final table are measured.

    Attributes:
        form: runtime: `eager`, `onnx` or `torch-compile`.
        threads: threads of the runtime.
        noun: what the task calls one example, such as "image".
    """

    form: str
    threads: int
    noun: str

    def __str__(self) -> str:
        threads = "1 thread" if self.threads == 1 else f"{self.threads} threads"
        return f"one {self.noun}, {RUNTIMES[self.form]}, {threads}, median"


class Students:
    """Builds candidates with a fixed initialization, trains and measures them.

    Args:
        distillation: teacher, data and recipe.
        folder: folder of the trainings.
        seed: seed of the run, from which initializations are derived.
        progress: receives every step.
        timing: how latencies are measured.
        losses: losses with which the winner is trained; the first one that reads the teacher
            is also used for shortlist and baselines.
    """

    def __init__(
        self,
        distillation: Distillation,
        folder: Path,
        seed: int,
        progress: Progress,
        timing: Timing,
        *,
        losses: Sequence[str],
    ) -> None:
        self.losses = losses
        self._distillation = distillation
        self._folder = folder
        self._seed = seed
        self.timing = timing
        self._attempts: dict[str, Attempts] = {}
        self._latencies: dict[str, float | None] = {}
        self.progress = progress

    def attempt(self, candidate: Candidate, trainings: Mapping[str, str]) -> Attempts:
        """Train a candidate with several losses; trainings that diverge are recorded.

        If an equal architecture was trained before, its results are returned.

        Args:
            candidate: the candidate.
            trainings: name of the folder of each training, by loss.
        """
        if candidate.name not in self._attempts:
            trained: dict[str, Trained] = {}
            failures: dict[str, DivergedError] = {}
            for loss, label in trainings.items():
                try:
                    trained[loss] = self.train(candidate, loss, label=label)
                except DivergedError as error:
                    failures[loss] = error
            self._attempts[candidate.name] = Attempts(trained, failures)
        return self._attempts[candidate.name]

    def answers(self, label: str, candidate: Candidate, attempts: Attempts) -> list[TrainedStudent]:
        """Return a candidate's trained students with the metric's values for all examples.

        Args:
            label: role of the candidate in the run.
            candidate: the candidate.
            attempts: results of its trainings.
        """
        data, device = self._distillation.data, self._distillation.device
        values = partial(values_of, data.metrics[0], dataset=data, device=device)
        students = []
        for loss, item in attempts.trained.items():
            test, val = item.report.test_values, values(item.network, split="val")
            if test is None:  # the training was read from its folder, which has no values
                test = values(item.network, split="test")
            result = TrainedStudent(label, candidate.name, candidate.costs, loss, val, test)
            students.append(result)
        return students

    @property
    def dataset(self) -> Dataset:
        """The dataset."""
        return self._distillation.data

    @property
    def loss(self) -> str:
        """The first loss that reads the teacher, with which shortlist and baselines are trained."""
        return next(each for each in self.losses if parse_objective(each).needs_teacher)

    @property
    def teacher_test(self) -> Measure | None:
        """The teacher's measure on the test split; `None` without a teacher."""
        teacher = self._distillation.teacher
        return None if teacher is None else teacher.test

    def train(self, candidate: Candidate, loss: str, *, label: str | None = None) -> Trained:
        """Train a new network of `candidate`, or load it if its training has finished before.

        Args:
            candidate: the candidate.
            loss: an expression or preset.
            label: name of the training's folder; by default the loss.
        """
        student, name = self._build(candidate), label or loss
        training = self._distillation.train_once(
            student,
            loss=loss,
            folder=self._folder / name,
            progress=self.progress,
            stage=name,
            replace_unfinished=True,
        )
        return Trained(student, training)

    def chosen(self, shortlist: Sequence[Candidate]) -> tuple[Candidate, Halving | None]:
        """Select a candidate of a shortlist by successive halving.

        Returns:
            The candidate and the trainings; `None` instead of these for a single candidate.
        """
        if len(shortlist) == 1:
            return shortlist[0], None
        halving = halve(
            {candidate.name: partial(self._build, candidate) for candidate in shortlist},
            self._distillation,
            loss=self.loss,
            folder=self._folder / self.loss,
            progress=self.progress,
            replace_unfinished=True,
        )
        best = next(candidate for candidate in shortlist if candidate.name == halving.best)
        return best, halving

    def teacher_rows(self) -> Iterator[Row]:
        """Yield the row of the teacher, if there is one."""
        if self._distillation.teacher is not None:
            teacher, signature = self._distillation.teacher, self._distillation.data.signature
            yield Row(
                "teacher",
                teacher.source.name,
                costs_of(teacher.network, signature),
                self._milliseconds(teacher.network),
                measures={self.losses[0]: teacher.test},
            )

    def row(self, label: str, candidate: Candidate, reports: Mapping[str, Training]) -> Row:
        """Return the table row of a candidate.

        Args:
            label: role of the candidate in the run.
            candidate: the candidate.
            reports: results of its trainings by loss.
        """
        if candidate.name not in self._latencies:
            self._latencies[candidate.name] = self._milliseconds(self._build(candidate))
        latency = self._latencies[candidate.name]
        measures = {loss: report.test for loss, report in reports.items()}
        return Row(label, candidate.name, candidate.costs, latency, candidate.score, measures)

    def _milliseconds(self, network: nn.Module) -> float | None:
        """Return the latency in milliseconds; `None` if the runtime cannot run the network."""
        try:
            return time_network(
                copied(network),
                self._distillation.data.signature,
                device=self._distillation.device,
                threads=self.timing.threads,
                form=self.timing.form,
            ).median_ms
        except Exception as error:
            if self.timing.form == EAGER:
                raise
            why = f"does not run in {RUNTIMES[self.timing.form]} ({first_line(error)})"
            self.progress(message("latency", f"{type(network).__name__} {why}"))
            return None

    def _build(self, candidate: Candidate) -> nn.Module:
        return candidate.build(seed=seed_for(self._seed, "student", candidate.key))
