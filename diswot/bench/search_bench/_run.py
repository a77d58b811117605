"""Run the search benchmark, and write tables and plots to a folder."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from diswot.bench.correlation_run import timed
from diswot.bench.ground_truths import find_truth
from diswot.bench.measurement import Measured, MeasurementSettings, evaluator_for, measure
from diswot.bench.record_store import MANIFEST
from diswot.bench.search_bench._landscape import Landscape
from diswot.bench.search_bench._plot import QUANTITIES, plot_searches
from diswot.bench.search_bench._rows import SearchRow, rows_of
from diswot.bench.search_bench._settings import SearchBenchSettings
from diswot.bench.search_bench._table import SearchBench, checkpoints, remarks
from diswot.bench.tables import write_csv
from diswot.errors import OptionError
from diswot.networks.costs import Costs
from diswot.plots import write_figure
from diswot.progress import Progress, Step
from diswot.runs.folder import check_new_folder, read_json, replace_file
from diswot.scorers import CostTerm, all_terms, find_scorer
from diswot.tasks.images import data_root as find_root

MEASUREMENTS = "measurements"
TABLE = "search.csv"

POINTS = 40
"""Maximum number of points of a curve."""


def run_search_bench(
    settings: SearchBenchSettings,
    out: Path,
    *,
    work: Path | None = None,
    workers: int = 1,
    progress: Progress,
) -> SearchBench:
    """Measure all terms once, run the searches on them, and write tables and plots.

    Args:
        settings: truth, scorers, engines, budget and seeds.
        out: a new folder, or that of an earlier run, which is resumed.
        work: folder of measurements of these scorers, and maybe others; by default in `out`.
        workers: number of processes that measure.
        progress: called after every architecture and every search.

    Raises:
        DiswotError: a name is unknown, or the measurements lack a scorer.
    """
    all_terms(settings.scorers)  # unknown scorers raise before anything is read
    truth = find_truth(settings.truth, find_root(settings.data_root))
    target = settings.target or truth.default_target
    asked = settings.measurement(truth, target)
    if settings.sample:
        truth = truth.sampled(settings.sample, settings.seed)
    if not ((out / MEASUREMENTS).is_dir() or (out / TABLE).is_file()):
        check_new_folder(out)
    folder = work or out / MEASUREMENTS
    names = [truth.space.to_string(arch) for arch in truth.architectures]
    measured = _measured(asked, names, folder, workers=workers, progress=progress)
    signature = evaluator_for(asked).signature
    landscape = Landscape.of(truth, target, measured, signature=signature, budget=settings.budget)
    out.mkdir(parents=True, exist_ok=True)
    milliseconds = timed(asked, names, out, progress)
    result = _searched(landscape, settings, milliseconds=milliseconds, progress=progress)
    _write(result, out)
    return result


def _measured(
    asked: MeasurementSettings,
    names: Sequence[str],
    folder: Path,
    *,
    workers: int,
    progress: Progress,
) -> list[Measured]:
    """Measure what `folder` lacks; add the terms that read costs only."""
    scorers, about = _kept(folder, asked)
    measuring = replace(asked, scorers=scorers)
    measured = measure(measuring, names, folder, workers=workers, progress=progress, about=about)
    evaluator = evaluator_for(asked)
    return [
        replace(row, terms={**row.terms, **evaluator.cost_terms(Costs(row.params, row.macs))})
        for row in measured
    ]


def _kept(folder: Path, asked: MeasurementSettings) -> tuple[tuple[str, ...], Mapping[str, Any]]:
    """Return the scorers of the measurements in `folder`, and further entries of its manifest.

    Scorers that read costs only may be missing there.

    Raises:
        OptionError: a scorer of `asked` is missing.
        RunFolderError: the manifest is damaged.
    """
    recorded = (
        read_json(folder / MANIFEST).get("settings") if (folder / MANIFEST).exists() else None
    )
    if not isinstance(recorded, Mapping) or not isinstance(recorded.get("scorers"), list):
        return asked.scorers, {}
    scorers = tuple(map(str, recorded["scorers"]))
    known = all_terms(scorers).terms.keys()
    wanted = {name: _to_measure(name) for name in asked.scorers}
    if missing := [name for name, terms in wanted.items() if not terms <= known]:
        raise OptionError(
            f"{folder} holds no measurements of {', '.join(missing)}: leave that out of "
            "--scorers, or name another folder"
        )
    return scorers, {name: value for name, value in recorded.items() if name not in asked.to_json()}


def _to_measure(scorer: str) -> set[str]:
    """Return the terms of a scorer that read more than costs."""
    terms = find_scorer(scorer).terms
    return {name for name, term in terms.items() if not isinstance(term, CostTerm)}


def _searched(
    landscape: Landscape,
    settings: SearchBenchSettings,
    *,
    milliseconds: Mapping[str, float],
    progress: Progress,
) -> SearchBench:
    total = min(settings.evaluations, landscape.networks)
    # Curves are read at log-spaced numbers of evaluations, and at those of the table.
    geometric = np.geomspace(1, total, POINTS).round().astype(int)
    counts = sorted({*map(int, geometric), *checkpoints(total)})
    scored = [landscape.scored(scorer) for scorer in settings.scorers]
    searched = _counter(len(scored) * len(settings.compared) * settings.seeds, progress)
    curves: list[SearchRow] = []
    for row in scored:
        alone = milliseconds.get(row.scorer)
        spent = None if alone is None else alone * settings.repeats
        curves += rows_of(row, settings, counts, milliseconds=spent, searched=searched)
    return SearchBench(curves, remarks(landscape, curves))


def _counter(total: int, progress: Progress) -> Callable[[], None]:
    done = iter(range(1, total + 1))
    return lambda: progress(Step("search", next(done), total))


def _write(search_bench: SearchBench, out: Path) -> None:
    write_csv(out / "curves.csv", search_bench.curves)
    write_csv(out / TABLE, search_bench.rows)
    text = search_bench.markdown()
    replace_file(out / "search.md", lambda path: path.write_text(text, encoding="utf-8"))
    for quantity in QUANTITIES:
        write_figure(plot_searches(search_bench.curves, quantity), out)
