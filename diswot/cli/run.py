"""`diswot run`: search, distill, compare and export."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from diswot.cli import _options as shared
from diswot.cli._command import Command
from diswot.cli._declared import option
from diswot.cli._progress import displayed_progress, tracked
from diswot.cli._search_options import scoring_options, search_options, settle_workers, taken_budget
from diswot.cli._short_trainings import print_trainings
from diswot.cli._shortlist import SHORTLIST, print_halving
from diswot.cli._tables import (
    count,
    optional,
    print_exported,
    print_json,
    print_reads,
    print_table,
    teacher_seen,
)
from diswot.cli._terminal import say
from diswot.devices import check_alone
from diswot.options import JobOptions
from diswot.runs.folder import next_folder

if TYPE_CHECKING:
    from diswot.methods import WholeReport
    from diswot.pipeline import Row, RunReport, Verdict

WIDTH = 80
"""Line width of the printed verdict, in characters."""

NAMES = {"diswot": "DisWOT", "diswot-dagger": "DisWOT†"}
"""Loss → name in tables."""


@click.command(cls=Command, takes_config=True)
@shared.subject_options
@search_options
@scoring_options
@shared.training_options
@option(JobOptions, "method")
@option(JobOptions, "compare", show_default=True)
@SHORTLIST
@option(JobOptions, "onnx")
@shared.run_options
def run(out: Path | None, as_json: bool, track: Sequence[str] | None, **chosen: Any) -> None:
    """Search and distill a student, compare it with baselines, and export one.

    With no option: digits, a ResNet-56, students of at most 10k parameters, 20 short
    trainings. If you name teacher, space or data: S0 and at most 300k.

    Example: diswot run --data cifar100 --teacher resnet56 --max-params 300k
    """
    from diswot.pipeline import check_run, with_defaults
    from diswot.pipeline import run as run_main_job
    from diswot.tasks import find_subject

    # Check all options first: a run takes minutes to hours.
    check_alone("diswot run")
    teacher, space, limits = chosen.pop("teacher"), chosen.pop("space"), taken_budget(chosen)
    space, budget, chosen = with_defaults(teacher, space, budget=limits, options=chosen)
    settle_workers(chosen)
    check_run(teacher, space, budget=budget, out=out, **chosen)
    subject = find_subject(chosen, teacher=teacher, space=space)
    with displayed_progress() as display:
        chosen["data"] = subject.load(display)
        folder = out or next_folder(Path("runs"), f"{chosen['data'].name}-{subject.teacher}")
        with tracked(track, folder, display) as progress:
            report = run_main_job(
                teacher,
                subject.space,
                budget=budget,
                out=folder,
                progress=progress,
                **chosen,
            )
    if as_json:
        print_json({"folder": str(folder)} | report.to_json())
    else:
        print_report(report)


def print_report(report: RunReport | WholeReport) -> None:
    """Print the results of a run of any method, and the next command."""
    from diswot.pipeline import RunReport

    if isinstance(report, RunReport):
        print_run(report)
        return
    cells = report.to_cells()
    columns = list(cells[0]) if cells else []
    print_table(
        report.title, columns, [list(row.values()) for row in cells], caption=report.caption
    )
    for step in report.next_steps:
        say(f"Next: {step}")


def print_run(report: RunReport) -> None:
    """Print the results of a run, and the next command."""
    from diswot.export import onnx_available

    test = next(measure for row in report.rows for measure in row.measures.values())
    losses, noun = report.losses, report.task.noun
    settings = report.search.manifest["settings"]
    repeats = settings["repeats"]
    print_table(
        f"Test {test.heading}, with 95 % interval",
        ["", "network", "params", "MACs", "latency", "score", *map(_written, losses)],
        [_cells(row, losses) for row in report.rows],
        caption=(
            f"{test.n:,} test {noun}s, not used for selection; the interval covers the "
            f"sampling of {noun}s, not the variation between seeds. Seed {settings['seed']}.\n"
            f"Score: {settings['scorer']} ({teacher_seen(settings)}), "
            f"mean of {repeats} initializations and batches; "
            f"{len(report.search.candidates)} candidates evaluated, "
            f"{len(report.search.failures)} failed. Latency: {report.latency}."
        ),
    )
    print_trainings(report.search)
    print_reads(report.trainings)
    if report.halving is not None:
        print_halving(report.halving)
    _print_verdict(report.verdict)
    exported, shipped = report.exported, _written(report.shipped)
    say(
        f"Exported {report.verdict.architecture} ({shipped}) to {exported.folder}: "
        f"{', '.join(exported.files)}"
    )
    print_exported(exported)
    if not onnx_available():
        say("  no ONNX: pip install 'diswot[onnx]' for it")
    say(
        "Next: use it with `from student import load`, or search a space of your own: "
        "diswot search --help"
    )


def _written(loss: str) -> str:
    return NAMES.get(loss, loss)


def _cells(row: Row, losses: Sequence[str]) -> list[str]:
    return [
        row.label,
        row.name,
        count(row.costs.params),
        count(row.costs.macs),
        "–" if row.latency_ms is None else f"{row.latency_ms:.2f} ms",
        optional(row.score),
        *(str(row.measures.get(loss, "–")) for loss in losses),
    ]


def _print_verdict(verdict: Verdict) -> None:
    """Print the recommended student with reasons, one sentence per paragraph."""
    from diswot.cli._layout import paragraph

    say("\nVerdict")
    for sentence in verdict.sentences:
        say(textwrap.indent(paragraph(sentence, WIDTH - 2), "  "))
    say("")
