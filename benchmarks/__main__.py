"""Make the tables under `benchmarks/results/`: the evidence that the docs show."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from benchmarks.all_cells import SCORERS, AllCells, score_all_cells
from benchmarks.distillation_study import loss_rows, shortlist_rows
from benchmarks.documentation import DOCS
from benchmarks.evidence import (
    ALL,
    CORRELATIONS,
    MOST,
    SEARCHED,
    SEARCHES,
    SHORTLISTED,
    STUDIED,
)
from benchmarks.fidelity import AGAIN, BATCH_SIZE, fidelity, published_correlations
from benchmarks.latency_forms import LatencyFormsSettings, latency_forms
from benchmarks.nas_bench_201_costs import check_costs
from benchmarks.results_folder import keep
from benchmarks.resume_benchmark import resume_benchmark
from benchmarks.score_costs import score_costs
from benchmarks.training_speed import TrainingSpeedSettings, training_speed
from diswot.bench import EMBEDDED
from diswot.bench.correlation_run import CorrelationSettings, run_correlation
from diswot.bench.paper import paper_table
from diswot.bench.search_bench import SearchBenchSettings, SearchRow, run_search_bench
from diswot.bench.speed import SpeedSettings, speed
from diswot.cli import displayed_progress, options
from diswot.options import DEFAULT_SCORER
from diswot.progress import Progress
from diswot.runs.folder import replace_content
from diswot.tasks.images import data_root as find_root

CELLS = "correlation-nas-bench-201"
OTHERS = (
    "search",
    "losses",
    "shortlist",
    "fidelity",
    "speed",
    "training-speed",
    "score-costs",
    "all-cells",
    "resume",
    "costs",
    "latency-forms",
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
    with displayed_progress() as progress:
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
    for chosen in CORRELATIONS[table]:
        settings = replace(chosen, data_root=data_root)
        folder = _measurements(work, table, settings)
        rows += run_correlation(settings, folder, workers=workers, progress=progress).records
    provenance = {
        "settings": [_as_json(settings) for settings in CORRELATIONS[table]],
        "workers": workers,
    }
    keep(f"correlation-{table}", rows, provenance, started)


def _show(plot: Path, name: str) -> None:
    """Copy a plot to the docs' images."""
    (DOCS / "images").mkdir(exist_ok=True)
    replace_content(DOCS / "images" / name, plot.read_bytes())


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
        path = folder if folder.is_dir() else work / f"search-{table}"
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
            result = run_search_bench(settings, out, work=path, workers=workers, progress=progress)
            if measured.truth == "nas-bench-201":
                _show(out / "accuracy.png", "search-nas-bench-201.png")
            rows += result.rows
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
    origin: dict[str, Any] = {}
    rows: Sequence[Any]
    match table:
        case "search":
            origin = {"scorers": SEARCHED, "max_params": SEARCHES, "population": 20, "seeds": 20}
            rows = _searches(data_root, work, workers, progress)
        case "losses":
            origin = {data: _as_json(settings) for data, settings in STUDIED.items()}
            rows = loss_rows(data_root, work, workers, progress)
        case "shortlist":
            origin = {data: _as_json(settings) for data, settings in STUDIED.items()}
            origin["shortlisted"] = SHORTLISTED
            rows = shortlist_rows(data_root, work, workers, progress)
        case "fidelity":
            origin = {"sample": 1000, "again": AGAIN, "batch_size": BATCH_SIZE, "scorers": MOST}
            rows = fidelity(root, work / table, scorers=MOST, workers=workers, progress=progress)
            cells = published_correlations(root, work / table, MOST, progress)
            keep(CELLS, cells, origin, started)
        case "speed" | "training-speed" | "latency-forms":
            origin, rows = _timings(table, data_root, progress)
        case "score-costs":
            rows = score_costs(data_root, progress)
        case "all-cells":
            origin = {"batch_size": 64, "repeats": 1, "workers": workers}
            rows = [
                _all_cells(root, work / table, names, workers, progress)
                for names in ((DEFAULT_SCORER,), SCORERS)
            ]
        case "resume":
            rows = resume_benchmark(root, progress)
        case "costs":
            rows = [check_costs(root, progress, workers=workers)]
        case _:
            rows = paper_table(published or root.parent / "published", EMBEDDED, root)
    keep(table, rows, origin, started)


def _all_cells(
    root: Path, folder: Path, scorers: tuple[str, ...], workers: int, progress: Progress
) -> AllCells:
    new = folder.with_name(f"{folder.name}-{scorers[0]}")
    return score_all_cells(root, new, scorers=scorers, workers=workers, progress=progress)


def _timings(
    table: str, data_root: str | None, progress: Progress
) -> tuple[dict[str, Any], Sequence[Any]]:
    """Measure run times; return settings and rows of the table."""
    match table:
        case "speed":
            scored = SpeedSettings(ALL, architectures=4, data_root=data_root)
            return _as_json(scored), speed(scored, progress)
        case "training-speed":
            trained = TrainingSpeedSettings(data_root=data_root)
            return _as_json(trained), training_speed(trained, progress)
        case _:
            forms = LatencyFormsSettings()
            return _as_json(forms), latency_forms(forms, progress)


def _as_json(settings: Any) -> dict[str, Any]:
    return {name: value for name, value in asdict(settings).items() if name != "data_root"}


if __name__ == "__main__":
    main()
