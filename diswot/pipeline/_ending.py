"""From a finished search to a run's report: trainings, verdict, export."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from diswot.errors import first_line
from diswot.export import export
from diswot.latency import default_form, is_measured
from diswot.options import EAGER
from diswot.pipeline._report import RunReport
from diswot.pipeline._selection import alone_of, verdict
from diswot.pipeline._students import Attempts, Lessons, Students, Timing
from diswot.pipeline._verdict import WINNER, Verdict
from diswot.progress import news
from diswot.runs.folder import write_record
from diswot.search import Candidate, SearchResult
from diswot.students import origin_of


def finished(
    result: SearchResult, lessons: Lessons, folder: Path, job: Mapping[str, Any]
) -> RunReport:
    """Train the winner and what it is compared with, export what the verdict takes, and report."""
    timing = _timing(result, lessons, onnx=job["onnx"])
    students = Students(
        lessons.distillation, folder / "distill", lessons.seed, lessons.progress, timing
    )
    winner, halving = students.chosen(result.shortlist(job["shortlist"]))
    compared = {WINNER: winner, **_others(winner, result)}
    attempts = {
        label: students.attempt(
            candidate, _trainings(students, label, candidate, compare=job["compare"])
        )
        for label, candidate in compared.items()
    }
    found = _verdict(students, compared, attempts, seed=lessons.seed)
    students.progress(news("export", "writing the student, and running every form of it"))
    shutil.rmtree(folder / "student", ignore_errors=True)  # of a run that was stopped
    network = attempts[found.take].trained[found.loss].network
    noted = {**_metrics_of(network), "verdict": list(found.sentences)}
    exported = export(
        network,
        folder / "student",
        data=lessons.distillation.data,
        metrics=noted,
        onnx=job["onnx"] and None,  # found possible before the search; now it is written if it can
    )
    rows = [students.row(label, each, attempts[label].reports) for label, each in compared.items()]
    report = RunReport(
        search=result,
        task=students.dataset.task,
        verdict=found,
        rows=(*students.teacher_rows(), *rows),
        latency=str(timing),
        halving=halving,
        trainings=attempts[WINNER].reports,
        exported=exported,
        folder=folder,
    )
    write_record(folder / "result.json", report.to_json())
    return report


def _timing(result: SearchResult, lessons: Lessons, *, onnx: bool | None) -> Timing:
    """Return how latencies are measured: as in the search, else in the form that is exported."""
    searched, device = result.manifest["latency"], lessons.distillation.device
    form = EAGER if onnx is False else default_form(device)
    threads = result.manifest["settings"]["threads"]
    noun = lessons.distillation.data.task.noun
    return Timing(searched if is_measured(searched) else form, threads, noun)


def _others(winner: Candidate, result: SearchResult) -> dict[str, Candidate]:
    """Return what the winner is compared with, by label."""
    first = {"best-scored": result.best} if winner.name != result.best.name else {}
    return first | dict(result.plain_choices)


def _trainings(
    students: Students, label: str, candidate: Candidate, *, compare: bool
) -> dict[str, str]:
    """Return the folders of a candidate's trainings, by loss."""
    if label == WINNER:
        return {loss: loss for loss in students.dataset.task.losses}
    return {students.loss: label} if compare and candidate.failure is None else {}


def _verdict(
    students: Students,
    compared: Mapping[str, Candidate],
    attempts: Mapping[str, Attempts],
    *,
    seed: int,
) -> Verdict:
    """Say which student to take.

    Raises:
        DivergedError: none could be distilled.
    """
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
    if all(student.loss == alone_of(students.dataset) for student in trained):
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
