"""`diswot predict`: predictions of an exported student for new examples."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from diswot.cli import _options as shared
from diswot.cli._declared import flagged
from diswot.cli._numbers import Whole
from diswot.cli._progress import displayed_progress
from diswot.cli._tables import print_json, print_table
from diswot.cli._terminal import say
from diswot.errors import OptionError, RunError

if TYPE_CHECKING:
    from diswot.tasks import FolderMetrics

_MOST_ROWS = 1000
"""Maximum number of rows that are printed to the terminal."""


@click.command()
@click.argument("student", type=click.Path(path_type=Path))
@click.argument("examples", nargs=-1, required=True, metavar="FOLDER|FILE...")
@flagged("--form", help="Format to run; by default the first available one that contains no code.")
@flagged(
    "--top",
    type=Whole(1),
    default=1,
    show_default=True,
    help="Number of classes to print for each example.",
)
@flagged(
    "--threshold",
    type=click.FloatRange(0, 1),
    help="Probability from which a label is printed, of students with any number of labels for "
    "each image; by default 0.5.",
)
@flagged("--csv", "as_csv", is_flag=True, help="Print CSV and nothing else.")
@shared.JSON
def predict(
    student: Path,
    examples: tuple[str, ...],
    form: str | None,
    top: int,
    threshold: float | None,
    as_csv: bool,
    as_json: bool,
) -> None:
    """Run an exported STUDENT on files, or on all files in folders.

    STUDENT is a folder that `diswot run` or `diswot export` wrote. Pass images to students of
    images; pass texts, or .txt files with one text per line, to students of texts. If the files
    are in folders named as the student's classes, accuracy, balanced accuracy and macro F1 are
    printed, too.

    Example: diswot predict runs/run-1/student photos/ --top 3
    """
    from diswot.export import predict as answers_of
    from diswot.runs.folder import read_json
    from diswot.tasks import folder_metrics

    if as_csv and as_json:
        raise OptionError("--csv and --json exclude each other: leave one out")
    with displayed_progress() as progress:
        result = answers_of(
            student, examples, form=form, top=top, threshold=threshold, progress=progress
        )
    failed = [item for item in result if "error" in item]
    metrics = folder_metrics(result, examples, read_json(student / "config.json").get("classes"))
    if as_json:
        known = {} if metrics is None else {"metrics": metrics.to_json()}
        print_json({"predictions": result, **known})
    elif as_csv:
        say(_as_csv(result))
    else:
        _print(student, [item for item in result if "error" not in item])
        if metrics is not None:
            _print_metrics(metrics)
    for item in failed:
        say(f"warning: {item['example']} cannot be read: {item['error']}", err=True)
    if failed:
        others = "; the others were predicted" if len(failed) < len(result) else ""
        raise RunError(f"{len(failed)} of {len(result)} cannot be read{others}: replace them")


def _print_metrics(found: FolderMetrics) -> None:
    values = ", ".join(f"{measure.name} {measure}" for measure in found.measures)
    left = f"; {found.left:,} others are in no class folder" if found.left else ""
    say(f"{found.measures[0].n:,} files in folders named as classes: {values}{left}")


def _columns(found: Sequence[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for item in found for name in item))


def _as_csv(found: Sequence[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, _columns(found), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _joined(value) for name, value in item.items()} for item in found)
    return text.getvalue().rstrip("\n")


def _joined(value: Any) -> Any:
    return ";".join(map(str, value)) if isinstance(value, list) else value


def _print(student: Path, found: Sequence[dict[str, Any]]) -> None:
    if not found:
        return
    columns = _columns(found)
    rows = [[_cell(name, item.get(name)) for name in columns] for item in found[:_MOST_ROWS]]
    left = len(found) - len(rows)
    more = f"{left:,} more are not shown: --csv and --json print all." if left else ""
    print_table(f"Predictions of {student}", columns, rows, caption=more)


def _cell(name: str, value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, list):
        shares = name == "probabilities"
        return ", ".join(f"{item:.1%}" if shares else str(item) for item in value) or "–"
    if name.startswith("probability"):
        return f"{value:.1%}"
    return f"{value:g}" if isinstance(value, float) else str(value)
