"""Print the tables of the lab book from the journals: `python -m benchmarks.lab.report`."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import click
import numpy as np

from benchmarks.lab.aggregates import BASELINES, PARTS
from benchmarks.lab.journals import Journal, check_measured, read
from benchmarks.lab.measure import EXPERIMENTS, IMAGES
from benchmarks.lab.tables import OTHERS, tables_of
from benchmarks.results_folder import keep
from diswot.bench.association import kendall
from diswot.bench.rank_statistics import RankStatistics, rank_statistics
from diswot.bench.tables import markdown, number
from diswot.cli import options
from diswot.runs.folder import replace_content

TRUTHS = ("resnet-s0", "cells-cifar10", "cells-cifar100", "autoformer")
"""Truths on which aggregates are evaluated."""
WIDELY = ("resnet-s0", "cells", "autoformer")
"""Truths of which more was measured than shares the passes of `student_fit_1`."""
CURVED = ("resnet-s0", "cells")
"""Truths that were measured with several numbers of images."""
SMALL = "digits-s0"
"""A truth of students that were trained on few images."""
HERE = Path(__file__).parent


@dataclass(frozen=True)
class FitRow:
    """Rank statistics of one score on one truth.

    Attributes:
        truth: the experiment.
        score: what is evaluated.
        repeats: initializations and batches that scores are the mean of.
        batch_size: images in a batch.
        single_mean: mean τ-b of the repeats taken one by one.
        single_sd: standard deviation of these.
        statistics: of the means over the repeats.
    """

    truth: str
    score: str
    repeats: int
    batch_size: int
    single_mean: float
    single_sd: float | None
    statistics: RankStatistics


@click.command()
@options.DATA_ROOT
@click.option("--teachers", type=click.Path(path_type=Path), required=True)
@click.option("--work", type=click.Path(path_type=Path), default=Path("runs/lab"))
def main(data_root: str | None, teachers: Path, work: Path) -> None:
    """Write the tables of the lab book next to its pages, once all journals are there."""

    def journal(name: str) -> Journal:
        return read(name, work=work, teachers=teachers, data_root=data_root)

    curved = {truth: {images: f"{truth}-{images}-images" for images in IMAGES} for truth in CURVED}
    others = [name for experiments in OTHERS.values() for name in experiments.values()]
    wide = {name: f"{name}-wide" for name in WIDELY}
    named = (name for curve in curved.values() for name in curve.values())
    check_measured([*TRUTHS, *others, *wide.values(), *named, SMALL], work)
    started = datetime.now(UTC)
    rows = fit_rows({name: journal(name) for name in TRUTHS})
    tables = {
        "Parts and baselines": _parts(rows),
        **tables_of(
            {name: journal(name) for name in TRUTHS},
            {name: journal(name) for name in others},
            {name: journal(experiment) for name, experiment in wide.items()},
            {
                truth: {images: journal(name) for images, name in curve.items()}
                for truth, curve in curved.items()
            },
        ),
        "Students trained on 60 images": _parts(fit_rows({SMALL: journal(SMALL)})),
    }
    text = "\n\n".join(f"## {title}\n\n{table}" for title, table in tables.items())
    made = {name: asdict(EXPERIMENTS[name]) for name in TRUTHS}
    keep("student-fit", rows, {"experiments": made}, started)
    replace_content(HERE / "tables.md", f"# Tables\n\n{text}\n".encode())
    click.echo(text)


def fit_rows(journals: Mapping[str, Journal]) -> list[FitRow]:
    """Return how well `student_fit_1`, its parts and baselines rank every truth's students."""
    rows = []
    for truth, journal in journals.items():
        for name, score in {**PARTS, **BASELINES}.items():
            each = score(journal)
            singles = [kendall(column, journal.accuracies) for column in each.T]
            rows.append(
                FitRow(
                    truth,
                    name,
                    EXPERIMENTS[truth].repeats,
                    EXPERIMENTS[truth].batch_size,
                    float(np.mean(singles)),
                    float(np.std(singles, ddof=1)) if len(singles) > 1 else None,
                    rank_statistics(each.mean(axis=1), journal.accuracies, params=journal.params),
                )
            )
    return rows


def _parts(rows: Sequence[FitRow]) -> str:
    """Return τ with its interval, then partial τ given parameters and ρ in the top tenth."""
    truths = list(dict.fromkeys(row.truth for row in rows))
    cells = {(row.truth, row.score): _cell(row) for row in rows}
    names = dict.fromkeys(row.score for row in rows)
    return markdown(
        ["score", *truths], [[name, *(cells[truth, name] for truth in truths)] for name in names]
    )


def _cell(row: FitRow) -> str:
    result = row.statistics
    tau = result.kendall
    return (
        f"{tau.value:.3f} [{tau.low:.2f}, {tau.high:.2f}]; "
        f"{number(result.partial)}; {number(result.spearman_top)}"
    )


if __name__ == "__main__":
    main()
