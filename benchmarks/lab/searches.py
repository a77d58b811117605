"""What `student_fit` and other scores find in a budget: `python -m benchmarks.lab.searches`.

Scores of papers are taken from the measurements of the correlation tables, where these are in
--correlations.
"""

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

import click
import numpy as np

from benchmarks.lab.measure import EXPERIMENTS, Experiment, settings_of
from benchmarks.ledger import RECORDS
from benchmarks.measurement import Measured, evaluator_for, measure
from benchmarks.results_folder import keep
from benchmarks.search_bench import Landscape, SearchBenchSettings, SearchRow, rows_of
from diswot.cli import options, shown_progress
from diswot.progress import Progress
from diswot.scorers import find_scorer
from diswot.search import Budget

SEARCHED: Mapping[str, tuple[str, ...]] = {
    "resnet-s0": ("resnet-s0",),
    "cells-cifar100": ("nas-bench-201-all-cifar100", "nas-bench-201-aggregates-cifar100"),
    "cells-cifar10": (),
    "autoformer": ("autoformer",),
}
"""Experiments, and the correlation tables' measurements that know other scores of them."""
SCORERS = (
    "student_fit",
    "filled_width+root_size",
    "filled_width+root_size+depth_alignment",
    "filled_width+root_size+pixel_alignment",
    "params",
    "size_ln",
    "diswot",
    "vkdnw_agg",
)
_TERMS: Mapping[str, Callable[[Mapping[str, float]], float]] = {
    "filled_width": lambda raw: math.log1p(raw["reach_rank_entropy"]),
    "root_size": lambda raw: math.log(raw["size_sides_1/2"]),
    "depth_alignment": lambda raw: math.log1p(raw["alignment_mean"]),
    "pixel_alignment": lambda raw: math.log1p(raw["alignment_pixels"]),
    "teacher_alignment": lambda raw: math.log1p(
        max(raw["alignment_mean"], raw["alignment_pixels"])
    ),
}
"""The terms of `student_fit`, and its controls, of the raw quantities of one repeat."""
LIMITS = (None, 500_000)
"""Parameters that a cell may have."""
SHARES = tuple(round(0.05 * step, 2) for step in range(1, 21))
"""Shares of a truth's students, the smallest ones, that are in budget."""
Terms: TypeAlias = Mapping[str, tuple[float, ...]]


@dataclass(frozen=True)
class BudgetRow:
    """What scores best in one budget.

    Attributes:
        truth: the ground truth, or a part of it.
        target: its column of accuracies.
        share: of the students, those with the fewest parameters, that are in budget.
        max_params: parameters that a student may have.
        best: the highest accuracy in budget.
        scorer: what is followed.
        accuracy: of the student that scores best, the cheapest of those alike.
        regret: `best` less that.
    """

    truth: str
    target: str
    share: float
    max_params: int
    best: float
    scorer: str
    accuracy: float
    regret: float


@click.command()
@options.DATA_ROOT
@click.option("--teachers", type=click.Path(path_type=Path), required=True)
@click.option("--work", type=click.Path(path_type=Path), default=Path("runs/lab"))
@click.option("--correlations", type=click.Path(path_type=Path), default=Path("runs/bench"))
def main(data_root: str | None, teachers: Path, work: Path, correlations: Path) -> None:
    """Write results/student-fit-budgets.csv and, of 20 seeds, student-fit-search.csv."""
    started = datetime.now(UTC)
    landscapes: list[tuple[Experiment, Landscape]] = []
    with shown_progress() as progress:
        for name, tables in SEARCHED.items():
            folders = [*(correlations / table for table in tables), work / f"{name}-published"]
            found = _landscapes(name, folders, data_root, teachers, work, progress)
            landscapes += [(EXPERIMENTS[name], landscape) for landscape in found]
    chosen = [row for _, landscape in landscapes for row in _best_scored(landscape)]
    keep("student-fit-budgets", chosen, {"scorers": SCORERS, "shares": SHARES}, started)
    started, rows = datetime.now(UTC), list[SearchRow]()
    for experiment, landscape in landscapes:
        for limit in LIMITS if landscape.truth.startswith("nas") else (None,):
            budgeted = replace(landscape, budget=Budget(params=limit))
            rows += _searched(budgeted, experiment, limit)
    made = {"scorers": SCORERS, "max_params": LIMITS, "population": 20, "seeds": 20}
    keep("student-fit-search", rows, made, started)


def _landscapes(
    name: str,
    others: Sequence[Path],
    data_root: str | None,
    teachers: Path,
    work: Path,
    progress: Progress,
) -> Iterator[Landscape]:
    """Yield all architectures, and, for scores that know a part of them, that part."""
    experiment = EXPERIMENTS[name]
    settings, truth = settings_of(experiment, teachers, data_root)
    architectures = [truth.space.to_string(arch) for arch in truth.architectures]
    measured = measure(settings, architectures, work / name, progress=progress)
    sources: list[Mapping[int, Terms]] = [{i: each.terms for i, each in enumerate(measured)}]
    for other in experiment.besides:
        counts, _ = settings_of(EXPERIMENTS[other], teachers, data_root)
        counted = measure(counts, architectures, work / other, progress=progress)
        sources.append({i: each.terms for i, each in enumerate(counted)})
    keys = [truth.space.canonical_key(arch) for arch in truth.architectures]
    for folder in others:
        if (folder / RECORDS).exists():
            known = _terms(folder)
            sources.append({i: known[key] for i, key in enumerate(keys) if key in known})
    whole = [source for source in sources if len(source) == len(truth)]
    parts = [(truth, whole, list(range(len(truth))))]
    if len(whole) < len(sources):
        places = sorted(set(sources[0]).intersection(*sources))
        part = replace(truth.part(places), name=f"{truth.name}, {len(places):,} of them")
        parts.append((part, sources, places))
    for part, used, places in parts:
        joined = [_joined(measured[i], [source[i] for source in used]) for i in places]
        images = evaluator_for(settings).images
        yield Landscape.of(part, experiment.target, joined, images=images, budget=Budget())


def _known(landscape: Landscape) -> Iterator[str]:
    """Yield the scores whose terms were measured."""
    terms = {term for record in landscape.records.values() for term in record.terms}
    for scorer in SCORERS:
        if set(find_scorer(scorer).terms) <= terms:
            yield scorer


def _best_scored(landscape: Landscape) -> Iterator[BudgetRow]:
    params = [record.params for record in landscape.records.values()]
    for share in SHARES:
        limit = int(np.quantile(params, share))
        budgeted = replace(landscape, budget=Budget(params=limit))
        for scorer in _known(landscape):
            accuracy = landscape.accuracies[budgeted.scored(scorer).top]
            yield BudgetRow(
                landscape.truth,
                landscape.target,
                share,
                limit,
                budgeted.best,
                scorer,
                accuracy,
                round(budgeted.best - accuracy, 6),
            )


def _searched(
    landscape: Landscape, experiment: Experiment, limit: int | None
) -> Iterator[SearchRow]:
    for scorer in _known(landscape):
        asked = SearchBenchSettings(
            landscape.truth,
            (scorer,),
            target=experiment.target,
            max_params=limit,
            repeats=experiment.repeats,
            batch_size=experiment.batch_size,
        )
        yield from rows_of(
            landscape.scored(scorer),
            asked,
            [min(asked.evaluations, landscape.networks)],
            milliseconds=None,
            searched=lambda: None,
        )


def _joined(measured: Measured, sources: Sequence[Terms]) -> Measured:
    """Return a measurement with the terms of `student_fit`, and the means of others' terms."""
    repeats = len(next(iter(sources[0].values())))
    terms: dict[str, tuple[float, ...]] = {}
    for source in reversed(sources):
        for name, values in source.items():
            same = len(values) == repeats
            terms[name] = tuple(values) if same else (sum(values) / len(values),) * repeats
    each = [{name: values[i] for name, values in terms.items()} for i in range(repeats)]
    terms |= {term: tuple(map(of, each)) for term, of in _TERMS.items()}
    return replace(measured, terms=terms)


def _terms(folder: Path) -> dict[str, Terms]:
    """Return the terms that were measured for a correlation table, by canonical key."""
    records = map(json.loads, (folder / RECORDS).read_text(encoding="utf-8").splitlines())
    return {
        record["of"]: {name: tuple(values) for name, values in record["terms"].items()}
        for record in records
        if record["kind"] == "terms"
    }


if __name__ == "__main__":
    main()
