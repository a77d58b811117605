"""`diswot bench losses` and `diswot bench pairs`: students' accuracies by loss."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from diswot.cli import displayed_progress, names, options, print_json, print_table, say
from diswot.cli._declared import flagged
from diswot.cli._tables import counted
from diswot.cli.bench._options import training_options
from diswot.runs.folder import next_folder

if TYPE_CHECKING:
    from diswot.bench.loss_table import LossRow
    from diswot.bench.pairs import PairRow

CAPTION = (
    "accuracy: on the test images, mean ± standard deviation over the seeds, of the epoch that was "
    "best on the validation images. gain: over the same student trained alone with the same "
    "seed, in points. p: two-sided paired t-test, adjusted by Benjamini and Hochberg over the "
    "losses of one student; better and worse mean p < 0.05."
)


@click.command()
@click.option(
    "--students",
    callback=names,
    default="s0:5-1-3,resnet20",
    show_default=True,
    help="Names of `diswot list teachers`, or SPACE:ARCHITECTURE, joined with commas.",
)
@flagged(
    "--loss",
    "losses",
    multiple=True,
    default=("diswot", "diswot-dagger"),
    show_default=True,
    help="A name or an expression of `diswot list losses`; can be given several times.",
)
@options.DATA
@options.TEACHER
@training_options
def losses(out: Path | None, workers: int, as_json: bool, **chosen: Any) -> None:
    """Train students with several losses and seeds, and test which losses differ.

    If the command is interrupted, run it again with the same --out to resume it.

    Example: diswot bench losses --students resnet20 --loss "ce + at" --loss "ce + dkd"
    """
    from diswot.bench.loss_table import LossTableSettings, loss_table
    from diswot.bench.tables import flat, write_csv
    from diswot.tasks import find_subject

    subject = find_subject(chosen, teacher=chosen["teacher"])
    chosen |= {"data": subject.data, "teacher": subject.teacher}
    chosen["students"] = tuple(chosen["students"])
    out = out or next_folder(Path("runs"), "losses")
    with displayed_progress() as progress:
        rows = loss_table(LossTableSettings(**chosen), out, workers=workers, progress=progress)
    write_csv(out / "losses.csv", rows)
    if as_json:
        print_json({"folder": str(out), "rows": [flat(row) for row in rows]})
        return
    print_table(
        f"Test accuracy in % on {rows[0].data}, teacher {rows[0].teacher} "
        f"{rows[0].teacher_accuracy:.1f}",
        ["student", "loss", "accuracy ± sd", "gain", "p", ""],
        [[row.student, row.loss, *_cells(row)] for row in rows],
        caption=f"{counted(rows[0].seeds, 'seed')}, {counted(rows[0].epochs, 'epoch')}. {CAPTION}",
    )
    say(f"Written to {out}: losses.csv")


@click.command()
@click.option("--pair", default="resnet56/resnet20", show_default=True, help="TEACHER/STUDENT.")
@click.option(
    "--methods",
    callback=names,
    default="KD,AT,SP,RKD,CRD,DKD",
    show_default=True,
    help="Methods: vanilla, KD and the losses of the published tables (FitNet, AT, SP, CC, VID, "
    "RKD, "
    "PKT, AB, FT, FSP, NST, CRD, DKD), joined with commas.",
)
@click.option(
    "--published",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Table of published figures; by default kd-tables/kd_pairs.csv in the data root, "
    "if it is there.",
)
@flagged("--data", default="cifar100", show_default=True, help="A dataset's name.")
@training_options
def pairs(
    out: Path | None,
    workers: int,
    as_json: bool,
    pair: str,
    methods: list[str],
    published: Path | None,
    **chosen: Any,
) -> None:
    """Train a teacher–student pair of the literature, and compare published accuracies.

    The published length of 240 epochs needs a GPU. If the command is interrupted, run it
    again with the same --out to resume it.

    Example: diswot bench pairs --pair wrn-40-2/wrn-16-2 --methods KD,CRD --epochs 240
    """
    from diswot.bench.loss_table import LossTableSettings
    from diswot.bench.pairs import PAIRS, measure_pair
    from diswot.bench.tables import write_csv
    from diswot.tasks.images import data_root as find_root

    known = published or find_root(chosen["data_root"]) / PAIRS
    out = out or next_folder(Path("runs"), f"pair-{pair}")
    with displayed_progress() as progress:
        rows = measure_pair(
            pair,
            methods,
            LossTableSettings(**chosen),
            out,
            published=known if known.exists() else None,
            workers=workers,
            progress=progress,
        )
    write_csv(out / "pair.csv", [row.measured for row in rows])
    if as_json:
        print_json({"folder": str(out), "rows": [_record(row) for row in rows]})
        return
    _print_pairs(pair, rows)
    say(f"Written to {out}: pair.csv")


def _print_pairs(pair: str, rows: Sequence[PairRow]) -> None:
    measured = rows[0].measured
    print_table(
        f"{pair} on {measured.data}, test accuracy in %",
        ["method", "loss", "published", "accuracy ± sd", "gain", "p", ""],
        [_row(row) for row in rows],
        caption=f"{counted(measured.seeds, 'seed')}, {counted(measured.epochs, 'epoch')}; "
        f"teacher here {measured.teacher_accuracy:.1f}. {CAPTION}",
    )


def _cells(row: LossRow) -> list[str]:
    from diswot.bench.tables import number

    result = f"{row.accuracy:.1f} ± {row.sd:.1f}"
    return [result, number(row.gain, "+.1f"), number(row.adjusted, ".3f"), row.verdict]


def _row(row: PairRow) -> list[str]:
    from diswot.bench.pairs import METHODS
    from diswot.bench.tables import number

    method = next(name for name, loss in METHODS.items() if loss == row.measured.loss)
    printed = number(row.published and row.published.accuracy)
    return [method, row.measured.loss, printed, *_cells(row.measured)]


def _record(row: PairRow) -> dict[str, Any]:
    from diswot.bench.tables import flat

    return {"published": row.published and vars(row.published), **flat(row.measured)}
