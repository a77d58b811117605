"""From a ground truth, scorers and engines to tables and pictures in a folder."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.correlation_run import DISTILLED, timed
from benchmarks.ground_truths import GroundTruth, find_truth
from benchmarks.ledger import MANIFEST
from benchmarks.measurement import MeasurementSettings, evaluator_for, measure
from benchmarks.search_bench._landscape import Landscape
from benchmarks.search_bench._plot import plot_searches
from benchmarks.search_bench._rows import SearchRow, rows_of
from benchmarks.search_bench._settings import SearchBenchSettings
from benchmarks.tables import markdown, number, write_csv
from diswot.costs import Costs
from diswot.data import data_root as find_root
from diswot.errors import OptionError
from diswot.progress import Progress, Step
from diswot.run_folder import check_new_folder, read_json, replace_file
from diswot.scorers import CostTerm, all_terms, find_scorer

MEASUREMENTS = "measurements"
TABLE = "search.csv"

POINTS = 40
"""Numbers of evaluations at which curves are read, at most."""

TOY = 0.25
"""Share of what is in budget, from which on a search is no search any more."""

COLUMNS = (
    "name",
    "after",
    "accuracy, quartiles",
    "regret",
    "gain, 95 %",
    "wins",
    "p",
    "verdict",
    "ms",
)


@dataclass(frozen=True)
class SearchBench:
    """What came of all searches.

    Attributes:
        curves: every engine by every score, after each number of evaluations.
        remarks: what a reader must know besides.
    """

    curves: Sequence[SearchRow]
    remarks: Sequence[str]

    @property
    def rows(self) -> list[SearchRow]:
        """Those after half and after all evaluations."""
        last = self.curves[-1].evaluations
        return [row for row in self.curves if row.evaluations in _checkpoints(last)]

    def cells(self) -> list[list[str]]:
        """Return the table as text, in the order of `COLUMNS`."""
        return [_cells(row) for row in self.rows]


def run_search_bench(
    settings: SearchBenchSettings,
    out: Path,
    *,
    work: Path | None = None,
    workers: int = 1,
    progress: Progress,
) -> SearchBench:
    """Measure all terms once, search with them, and write tables and pictures.

    Args:
        settings: what is searched, by what.
        out: a new folder, or that of an earlier bench.
        work: measurements to go on with, of these scorers and perhaps others; by default
            those in `out`.
        workers: processes that measure.
        progress: told of every architecture and every search.

    Raises:
        DiswotError: something does not exist or does not fit.
    """
    all_terms(settings.scorers)  # what does not exist is found out before anything is read
    truth = find_truth(settings.truth, find_root(settings.data_root))
    default = DISTILLED if DISTILLED in truth.targets else next(iter(truth.targets))
    target = settings.target or default
    asked = settings.measurement(truth, target)
    if settings.sample:
        truth = truth.sampled(settings.sample, settings.seed)
    if not ((out / MEASUREMENTS).is_dir() or (out / TABLE).is_file()):
        check_new_folder(out)
    folder = work or out / MEASUREMENTS
    landscape = _measured(settings, asked, truth, target, folder, workers, progress)
    out.mkdir(parents=True, exist_ok=True)
    names = [truth.space.to_string(arch) for arch in truth.architectures]
    found = _searched(landscape, settings, timed(asked, names, out, progress), progress)
    _write(found, out)
    return found


def _measured(
    settings: SearchBenchSettings,
    asked: MeasurementSettings,
    truth: GroundTruth,
    target: str,
    folder: Path,
    workers: int,
    progress: Progress,
) -> Landscape:
    """Measure what `folder` does not hold yet."""
    scorers, about = _kept(folder, asked)
    measuring = replace(asked, scorers=scorers)
    names = [truth.space.to_string(arch) for arch in truth.architectures]
    measured = measure(measuring, names, folder, workers=workers, progress=progress, about=about)
    evaluator = evaluator_for(measuring).with_scorer(all_terms(asked.scorers))
    with_costs = [
        replace(each, terms={**each.terms, **evaluator.cost_terms(Costs(each.params, each.macs))})
        for each in measured
    ]
    return Landscape.of(truth, target, with_costs, images=evaluator.images, budget=settings.budget)


def _kept(folder: Path, asked: MeasurementSettings) -> tuple[tuple[str, ...], Mapping[str, Any]]:
    """Return the scorers of the measurements in `folder`, and what else is said of them.

    Scorers that read nothing but costs need not be among them.

    Raises:
        OptionError: a scorer that is asked for is not among them.
        RunFolderError: its manifest is damaged.
    """
    kept = read_json(folder / MANIFEST).get("settings") if (folder / MANIFEST).exists() else None
    if not isinstance(kept, Mapping) or not isinstance(kept.get("scorers"), list):
        return asked.scorers, {}
    scorers = tuple(map(str, kept["scorers"]))
    known = all_terms(scorers).terms.keys()
    wanted = {name: _to_measure(name) for name in asked.scorers}
    if missing := [name for name, terms in wanted.items() if not terms <= known]:
        raise OptionError(
            f"{folder} holds no measurements of {', '.join(missing)}: leave that out of "
            "--scorers, or name another folder"
        )
    return scorers, {name: value for name, value in kept.items() if name not in asked.to_json()}


def _to_measure(scorer: str) -> set[str]:
    """Return the terms of a scorer that read more than costs."""
    terms = find_scorer(scorer).terms
    return {name for name, term in terms.items() if not isinstance(term, CostTerm)}


def _searched(
    landscape: Landscape,
    settings: SearchBenchSettings,
    milliseconds: Mapping[str, float],
    progress: Progress,
) -> SearchBench:
    total = min(settings.evaluations, landscape.networks)
    geometric = np.geomspace(1, total, POINTS).round().astype(int)
    counts = sorted({*map(int, geometric), *_checkpoints(total)})
    scored = [landscape.scored(scorer) for scorer in settings.scorers]
    searched = _counter(len(scored) * len(settings.compared) * settings.seeds, progress)
    curves: list[SearchRow] = []
    for each in scored:
        alone = milliseconds.get(each.scorer)
        spent = None if alone is None else alone * settings.repeats
        curves += rows_of(each, settings, counts, milliseconds=spent, searched=searched)
    return SearchBench(curves, [*_remarks(landscape, total), *_reasons(curves)])


def _checkpoints(total: int) -> tuple[int, int]:
    return -(-total // 2), total


def _counter(total: int, progress: Progress) -> Callable[[], None]:
    done = iter(range(1, total + 1))
    return lambda: progress(Step("search", next(done), total))


def _remarks(landscape: Landscape, total: int) -> Iterator[str]:
    seen = total / landscape.networks
    if seen >= TOY:
        yield (
            f"A toy: {total} evaluations are {seen:.0%} of the {landscape.networks} different "
            "networks in budget, so all engines come to nearly the same."
        )
    if landscape.partial:
        yield (
            f"Searched are the {len(landscape.records):,} architectures whose accuracy is known; "
            "a child that is none of them is replaced by the one that is nearest in its genes."
        )


def _reasons(curves: Sequence[SearchRow]) -> Iterator[str]:
    """Tell why engines are not better than random search in the end."""
    last = curves[-1].evaluations
    for row in curves:
        if row.why and row.evaluations == last:
            yield f"{row.scorer}, {row.engine}: {row.verdict} than random; {row.why}."


def _write(found: SearchBench, out: Path) -> None:
    write_csv(out / "curves.csv", found.curves)
    write_csv(out / TABLE, found.rows)
    text = "\n\n".join([markdown(COLUMNS, found.cells()), *found.remarks]) + "\n"
    replace_file(out / "search.md", lambda path: path.write_text(text, encoding="utf-8"))
    for measure_of in ("accuracy", "regret"):
        plot_searches(found.curves, measure_of, out / measure_of)


def _cells(row: SearchRow) -> list[str]:
    gain = "–"
    if row.difference is not None:
        low, high = row.difference.low, row.difference.high
        gain = f"{row.difference.value:+.2f} [{low:.2f}, {high:.2f}]"
    return [
        f"{row.scorer}, {row.engine}",
        f"{row.evaluations:,}",
        f"{row.accuracy:.2f} [{row.lower_quartile:.2f}, {row.upper_quartile:.2f}]",
        f"{row.regret:.2f}",
        gain,
        number(row.wins),
        number(row.p, ".3f"),
        row.verdict or "–",
        number(row.milliseconds, ".0f"),
    ]
