"""The stages of a run: teacher, search, trainings, verdict, export, report."""

import hashlib
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from diswot.errors import first_line
from diswot.export import Exported, export, read_exported
from diswot.latency import default_form, is_measured
from diswot.options import EAGER
from diswot.pipeline._make_students import MakeStudents
from diswot.pipeline._report import RunReport
from diswot.pipeline._selection import is_alone, verdict
from diswot.pipeline._short_trainings import plan_of
from diswot.pipeline._stage import Run, Stage, fingerprint_of
from diswot.pipeline._students import Attempts, Students, Timing, TrainingSetup
from diswot.pipeline._verdict import WINNER, Verdict
from diswot.progress import message
from diswot.runtimes import onnx_available
from diswot.search import Candidate, SearchResult
from diswot.students import origin_of
from diswot.teachers import Teacher
from diswot.training import Halving, folder_name


@dataclass(frozen=True)
class TrainTeacher:
    """Trains the teacher before the search, if scores need its weights.

    Attributes:
        needed: whether scores need the weights; otherwise the teacher is trained later.
    """

    needed: bool
    name = "teacher"

    def fingerprint(self, run: Run) -> str:
        """Return a digest of the weights that scores use."""
        teacher = run.of(TrainTeacher)
        return fingerprint_of(teacher and teacher.name, teacher and teacher.digest())

    def run(self, run: Run) -> Teacher | None:
        """Train the teacher, or load it from the cache; `None` if it is not needed."""
        return run.setup.trained_teacher() if self.needed else None


@dataclass(frozen=True)
class Search:
    """Searches; the journal records evaluated candidates.

    Attributes:
        search: starts or resumes the search.
    """

    search: Callable[[Run], SearchResult]
    name = "search"

    def fingerprint(self, run: Run) -> str:
        """Return a digest of the search's manifest."""
        return fingerprint_of(run.of(Search).manifest)

    def run(self, run: Run) -> SearchResult:
        """Search for students, and return the result."""
        return self.search(run)


@dataclass(frozen=True)
class Trainings:
    """The trainings of a run.

    Attributes:
        students: builds, trains and measures candidates.
        halving: trainings of the shortlist; `None` if it has only one candidate.
        compared: the trained candidates by label, the winner first.
        attempts: results of their trainings by label.
    """

    students: Students
    halving: Halving | None
    compared: Mapping[str, Candidate]
    attempts: Mapping[str, Attempts]

    def network(self, found: Verdict) -> nn.Module:
        """Return the network of the student that a verdict selects."""
        return self.attempts[found.take].trained[found.loss].network


class Train:
    """Trains the winner and the baselines; each training has its own checkpoints."""

    name = "trainings"

    def fingerprint(self, run: Run) -> str:
        """Return a digest of the trained candidates and the training options."""
        names = {label: candidate.name for label, candidate in run.of(Train).compared.items()}
        return fingerprint_of(run.fingerprints["search"], names, dict(run.job))

    def run(self, run: Run) -> Trainings:
        """Select the winner of the shortlist, and train it and the baselines."""
        setup, job, result = run.setup, run.job, run.of(Search)
        students = Students(
            setup.distillation,
            run.folder / "distill",
            setup.seed,
            setup.progress,
            _timing(result, setup, onnx=job["onnx"]),
            losses=setup.losses,
        )
        count = plan_of(run, result).shortlist or job["shortlist"]
        winner, halving = students.chosen(result.shortlist(count))
        compared = {WINNER: winner, **_others(winner, result)}
        attempts = {
            label: students.attempt(
                candidate, _trainings(students, label, candidate, compare=job["compare"])
            )
            for label, candidate in compared.items()
        }
        return Trainings(students, halving, compared, attempts)


class Decide:
    """Selects the student to use, by the validation split."""

    name = "verdict"

    def fingerprint(self, run: Run) -> str:
        """Return a digest of the trainings that are compared."""
        return fingerprint_of(run.fingerprints["trainings"])

    def run(self, run: Run) -> Verdict:
        """Compare the students and return the verdict."""
        return _verdict(run.of(Train), seed=run.setup.seed)


class Export:
    """Exports the selected student in all formats, and runs each."""

    name = "export"

    def fingerprint(self, run: Run) -> str:
        """Return a digest of the student's weights, its model card, and the formats."""
        result = run.of(Decide)
        network = run.of(Train).network(result)
        return fingerprint_of(
            _digest(network),
            _metrics_of(network),
            result.to_json(),
            {"onnx": run.job["onnx"], "available": onnx_available(), "torch": torch.__version__},
        )

    def run(self, run: Run) -> Exported:
        """Export the student, unless an unchanged export of the same student exists."""
        folder, students = run.folder / "student", run.of(Train).students
        if (written := self._written(run, folder)) is not None:
            return written
        students.progress(message("export", "writing the student, and running every form of it"))
        shutil.rmtree(folder, ignore_errors=True)  # files of an interrupted export
        result = run.of(Decide)
        network = run.of(Train).network(result)
        return export(
            network,
            folder,
            data=students.dataset,
            metrics={**_metrics_of(network), "verdict": list(result.sentences)},
            # Optional now: that ONNX is possible was checked before the search.
            onnx=run.job["onnx"] and None,
        )

    def _written(self, run: Run, folder: Path) -> Exported | None:
        """Return an existing export of this student; `None` if a file has changed since."""
        if not run.known or run.known["stages"].get(self.name) != self.fingerprint(run):
            return None
        result = read_exported(folder, noun=run.of(Train).students.dataset.task.noun)
        known = run.known["student"].get("digests")
        return result if result is not None and result.digests == known else None


class Report:
    """Makes the final table and the report."""

    name = "report"

    def fingerprint(self, run: Run) -> str:
        """Return a digest of the verdict and the export."""
        return fingerprint_of(run.fingerprints["verdict"], run.fingerprints["export"])

    def run(self, run: Run) -> RunReport:
        """Measure the latencies of the table, and return the report."""
        done = run.of(Train)
        students, attempts = done.students, done.attempts
        rows = [
            students.row(label, candidate, attempts[label].reports)
            for label, candidate in done.compared.items()
        ]
        return RunReport(
            search=run.of(Search),
            task=students.dataset.task,
            losses=tuple(students.losses),
            verdict=run.of(Decide),
            rows=(*students.teacher_rows(), *rows),
            latency=str(students.timing),
            halving=done.halving,
            trainings=attempts[WINNER].reports,
            exported=run.of(Export),
            folder=run.folder,
        )


def main_job(
    search: Callable[[Run], SearchResult], students: MakeStudents, *, teacher_first: bool
) -> tuple[Stage[Any], ...]:
    """Return the stages of a run in order.

    Args:
        search: starts or resumes the search.
        students: makes the source of students.
        teacher_first: whether scores need the teacher's trained weights.
    """
    # The method may check data and space before it has the teacher trained.
    first = (students, TrainTeacher(teacher_first), Search(search))
    return (*first, Train(), Decide(), Export(), Report())


def _digest(network: nn.Module) -> str:
    content = hashlib.sha256()
    for name, tensor in network.state_dict().items():
        content.update(name.encode())
        content.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return content.hexdigest()


def _timing(result: SearchResult, setup: TrainingSetup, *, onnx: bool | None) -> Timing:
    """Return how latencies are measured: as in the search, or in the exported format."""
    searched, device = result.manifest["latency"], setup.distillation.device
    form = EAGER if onnx is False else default_form(device)
    threads = result.manifest["settings"]["threads"]
    noun = setup.distillation.data.task.noun
    return Timing(searched if is_measured(searched) else form, threads, noun)


def _others(winner: Candidate, result: SearchResult) -> dict[str, Candidate]:
    """Return the candidates with which the winner is compared, by label."""
    best = result.ranking[0] if result.order else result.best
    first = {"top-scoring": best} if winner.name != best.name else {}
    return first | dict(result.baselines)


def _trainings(
    students: Students, label: str, candidate: Candidate, *, compare: bool
) -> dict[str, str]:
    """Return the folders of a candidate's trainings, by loss."""
    if label == WINNER:
        return {loss: folder_name(loss) for loss in students.losses}
    return {students.loss: label} if compare and candidate.failure is None else {}


def _verdict(done: Trainings, *, seed: int) -> Verdict:
    """Select the student to use among all trained ones.

    Raises:
        DivergedError: all distillations diverged.
    """
    students, compared, attempts = done.students, done.compared, done.attempts
    distinct: dict[str, str] = {}  # a baseline may be the winner, or another baseline
    for label, candidate in compared.items():
        distinct.setdefault(candidate.name, label)
    trained = [
        student
        for label in distinct.values()
        for student in students.answers(label, compared[label], attempts[label])
    ]
    failed = [
        (f"{label} with {loss}", error)
        for label in distinct.values()
        for loss, error in attempts[label].failures.items()
    ]
    if all(is_alone(student.loss) for student in trained):
        raise failed[0][1]
    return verdict(
        trained,
        students.dataset,
        teacher=students.teacher_test,
        failures={what: first_line(error) for what, error in failed},
        untrained=[label for label in distinct.values() if attempts[label].untried],
        seeds=(seed,),
    )


def _metrics_of(network: nn.Module) -> Mapping[str, Any]:
    origin = origin_of(network)
    return origin.metrics if origin else {}
