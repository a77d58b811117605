"""Make the tables under `benchmarks/results/`: the evidence that the docs show."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import torch

from benchmarks.all_cells import SCORERS, score_all_cells
from benchmarks.correlation_run import CorrelationSettings, run_correlation
from benchmarks.documentation import DOCS, RESULTS
from benchmarks.fidelity import AGAIN, BATCH_SIZE, fidelity, published_correlations
from benchmarks.lasting import lasting
from benchmarks.loss_table import LossRow, LossTableSettings, loss_table
from benchmarks.nas_bench_201_costs import check_costs
from benchmarks.paper import paper_table
from benchmarks.search_bench import SearchBenchSettings, SearchRow, run_search_bench
from benchmarks.shortlist_table import ShortlistRow, ShortlistSettings, shortlist_table
from benchmarks.speed import SpeedSettings, speed
from benchmarks.tables import write_csv
from benchmarks.training_speed import TrainingSpeedSettings, training_speed
from benchmarks.trainings import LessonSettings
from diswot.cli import options, shown_progress
from diswot.data import data_root as find_root
from diswot.distillation import saved_students, train_teacher
from diswot.progress import Progress
from diswot.run_folder import versions, write_json
from diswot.scorers import scorers
from diswot.search import Budget, search

SLOW = ("gradsign", "vkdnw", "vkdnw_agg")
"""Not among the published values, and slow: on a thousand cells of their own."""
ALL = (
    *scorers(),
    "rank(semantic,relation)",
    "standard(semantic,relation)",
    "semantic_grad+relation_gram",
    "rank(semantic_grad,relation_gram)",
)
CELLS = "correlation-nas-bench-201"
MOST = tuple(name for name in ALL if name not in SLOW)
OF_DISWOT = tuple(
    name for name in ALL if name == "diswot" or "semantic" in name or "relation" in name
)
ONE_PASS = tuple(
    name
    for name, scorer in scorers().items()
    if not scorer.card.needs_gradients and "noise" not in scorer.card.cost
)
"""What reads one forward pass of the batch, or none."""
OF_NOISE = ("zen", "az_expressivity", "az_progressivity")
"""What reads forward passes of noise."""


def _both(truth: str, batch_size: int, scorers: tuple[str, ...] = ALL) -> list[CorrelationSettings]:
    """Return the comparisons with accuracy after distillation and alone."""
    return [
        CorrelationSettings(truth, scorers, target=target, batch_size=batch_size)
        for target in ("distilled", "vanilla")
    ]


CORRELATIONS = {
    "digits-s0": _both("digits-s0", 32),
    "resnet-s0": _both("resnet-s0", 32),
    "resnet-s0-ten-repeats": [
        CorrelationSettings("resnet-s0", OF_DISWOT, target="distilled", repeats=10)
    ],
    "autoformer": _both("autoformer", 8),
    "nas-bench-201-slow": [
        CorrelationSettings(
            "nas-bench-201", SLOW, target="cifar10", sample=1000, repeats=1, batch_size=32
        )
    ],
    "nas-bench-201-all": [
        CorrelationSettings("nas-bench-201", ONE_PASS, target="cifar100", repeats=1, batch_size=32)
    ],
    "nas-bench-201-noise": [
        CorrelationSettings("nas-bench-201", OF_NOISE, target="cifar100", repeats=1, batch_size=8)
    ],
}
"""What the correlation tables of the docs are made of; targets of one truth share a folder."""

PICTURED = "resnet-s0"
SEARCHED = ("diswot", "semantic_grad", "nwot", "swap_reg", "size_ln", "params")
SEARCHES: dict[str, tuple[int | None, ...]] = {
    "digits-s0": (None,),
    "resnet-s0": (None,),
    "autoformer": (None,),
    "nas-bench-201-all": (None, 500_000),
}
"""Correlations whose measurements are searched, and the parameters that a candidate may have."""

TAUGHT = {
    "digits": LossTableSettings(epochs=20, teacher_epochs=60),
    "cifar100": LossTableSettings(
        data="cifar100", epochs=1, batch_size=32, teacher_epochs=12, precision="bf16"
    ),
}
"""What students learn from, and for how long, in the tables of losses and shortlists."""
SHORTLISTED = {"digits": (4, 20), "cifar100": (2, 2)}
"""Students on the shortlists, and the epochs of the last training."""
LOSSES = ("diswot", "diswot-dagger", "ce + at", "ce + sp", "ce + rkd", "ce + dkd", "ce + dist")
"""Beside `alone`; `diswot` is KD with the weights of the published pairs."""

OTHERS = (
    "search",
    "losses",
    "shortlist",
    "fidelity",
    "speed",
    "training-speed",
    "all-cells",
    "lasting",
    "costs",
    "paper",
)


@click.command()
@options.DATA_ROOT
@click.option("--published", type=click.Path(path_type=Path), help="Folder of published figures.")
@click.option("--workers", type=click.IntRange(min=1), default=2, show_default=True)
@click.option("--work", type=click.Path(path_type=Path), default=Path("runs/bench"))
@click.argument("tables", nargs=-1, type=click.Choice([*CORRELATIONS, *OTHERS]))
def main(
    data_root: str | None,
    published: Path | None,
    workers: int,
    work: Path,
    tables: tuple[str, ...],
) -> None:
    """Make all tables, or those named; interrupted, what was measured is kept in --work."""
    with shown_progress() as progress:
        for table in tables or (*CORRELATIONS, *OTHERS):
            if table in CORRELATIONS:
                _correlations(table, data_root, work, workers, progress)
            else:
                _other(table, data_root, work, published, workers, progress)


def _correlations(
    table: str, data_root: str | None, work: Path, workers: int, progress: Progress
) -> None:
    started = datetime.now(UTC)
    rows: list[Any] = []
    for settings in CORRELATIONS[table]:
        found = replace(settings, data_root=data_root)
        folder = _measurements(work, table, found)
        rows += run_correlation(found, folder, workers=workers, progress=progress).records
    if table == PICTURED:
        (DOCS / "images").mkdir(exist_ok=True)
        shutil.copyfile(work / table / "distilled-bars.png", DOCS / "images" / f"{table}-bars.png")
    made = {"settings": [_told(settings) for settings in CORRELATIONS[table]], "workers": workers}
    _keep(f"correlation-{table}", rows, made, started)


def _measurements(work: Path, table: str, settings: CorrelationSettings) -> Path:
    return work / (f"{table}-{settings.target}" if table.startswith("nas") else table)


def _searches(
    data_root: str | None, work: Path, workers: int, progress: Progress
) -> list[SearchRow]:
    """Search on the measurements of the correlation tables, or new ones where there are none."""
    rows: list[SearchRow] = []
    for table, limits in SEARCHES.items():
        measured = CORRELATIONS[table][0]
        folder = _measurements(work, table, measured)
        kept = folder if folder.is_dir() else work / f"search-{table}"
        for limit in limits:
            settings = SearchBenchSettings(
                measured.truth,
                SEARCHED,
                target=measured.target,
                max_params=limit,
                repeats=measured.repeats,
                batch_size=measured.batch_size,
                data_root=data_root,
            )
            out = work / f"search-{table}-{limit or 'unlimited'}"
            found = run_search_bench(settings, out, work=kept, workers=workers, progress=progress)
            if measured.truth == "nas-bench-201":
                shutil.copyfile(out / "accuracy.png", DOCS / "images" / "search-nas-bench-201.png")
            rows += found.rows
    return rows


def _taught(data_root: str | None, work: Path, workers: int, progress: Progress) -> list[LossRow]:
    """Train the student that a search finds, and ResNet-20, by every loss."""
    rows: list[LossRow] = []
    for data in TAUGHT:
        settings = _with_teacher(data, data_root, work, progress)
        budget = Budget(params=300_000)
        found = search(settings.teacher, "s0", data=data, data_root=data_root, budget=budget)
        students = (f"s0:{found.best.name}", "resnet20")
        asked = replace(settings, students=students, losses=LOSSES)
        out = work / f"losses-{data}"
        rows += loss_table(asked, out, workers=workers, progress=progress)
    return rows


def _with_teacher(
    data: str, data_root: str | None, work: Path, progress: Progress
) -> LossTableSettings:
    """Return the settings of a dataset with a teacher that is trained once for both tables."""
    settings = TAUGHT[data]
    folder = work / f"teacher-{data}"
    if not saved_students(folder):
        train_teacher(
            settings.teacher,
            out=folder,
            data=data,
            data_root=data_root,
            epochs=settings.teacher_epochs,
            precision=settings.precision,
            progress=progress,
        )
    return replace(
        settings,
        data_root=data_root,
        teacher_weights=str(saved_students(folder)[0].weights),
        teacher_epochs=None,
    )


def _shortlists(
    data_root: str | None, work: Path, workers: int, progress: Progress
) -> list[ShortlistRow]:
    """Spend the same epochs on the best-scored student, and on a shortlist."""
    rows: list[ShortlistRow] = []
    for data, (count, epochs) in SHORTLISTED.items():
        settings = _with_teacher(data, data_root, work, progress)
        common = {field.name: getattr(settings, field.name) for field in fields(LessonSettings)}
        asked = ShortlistSettings(**{**common, "epochs": epochs}, count=count)
        out = work / f"shortlist-{data}"
        rows += shortlist_table(asked, out, workers=workers, progress=progress)
    return rows


def _other(
    table: str,
    data_root: str | None,
    work: Path,
    published: Path | None,
    workers: int,
    progress: Progress,
) -> None:
    started, root = datetime.now(UTC), find_root(data_root)
    made: dict[str, Any] = {}
    rows: Sequence[Any]
    match table:
        case "search":
            made = {"scorers": SEARCHED, "max_params": SEARCHES, "population": 20, "seeds": 20}
            rows = _searches(data_root, work, workers, progress)
        case "losses":
            made = {data: _told(settings) for data, settings in TAUGHT.items()}
            rows = _taught(data_root, work, workers, progress)
        case "shortlist":
            made = {data: _told(settings) for data, settings in TAUGHT.items()}
            made["shortlisted"] = SHORTLISTED
            rows = _shortlists(data_root, work, workers, progress)
        case "fidelity":
            made = {"sample": 1000, "again": AGAIN, "batch_size": BATCH_SIZE, "scorers": MOST}
            rows = fidelity(root, work / table, scorers=MOST, workers=workers, progress=progress)
            _keep(CELLS, published_correlations(root, work / table, MOST, progress), made, started)
        case "speed":
            settings = SpeedSettings(ALL, architectures=4, data_root=data_root)
            made = _told(settings)
            rows = speed(settings, progress)
        case "training-speed":
            timed = TrainingSpeedSettings(data_root=data_root)
            made = _told(timed)
            rows = training_speed(timed, progress)
        case "all-cells":
            made = {"scorers": SCORERS, "batch_size": 64, "repeats": 1, "workers": workers}
            rows = [score_all_cells(root, work / table, workers=workers, progress=progress)]
        case "lasting":
            rows = lasting(root, progress)
        case "costs":
            rows = [check_costs(root, progress, workers=workers)]
        case _:
            rows = paper_table(published or root.parent / "published", RESULTS, root)
    _keep(table, rows, made, started)


def _told(settings: Any) -> dict[str, Any]:
    return {name: value for name, value in asdict(settings).items() if name != "data_root"}


def _keep(table: str, rows: Sequence[Any], settings: Mapping[str, Any], started: datetime) -> None:
    """Write a table and how it was made."""
    write_csv(RESULTS / f"{table}.csv", rows)
    manifest = {
        **settings,
        "seconds": round((datetime.now(UTC) - started).total_seconds(), 1),
        "threads": torch.get_num_threads(),
        "versions": versions(),
    }
    write_json(RESULTS / f"{table}.manifest.json", manifest)


if __name__ == "__main__":
    main()
