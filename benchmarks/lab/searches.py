"""What `student_fit_1` and other scores find in a budget: `python -m benchmarks.lab.searches`.

Scores of papers are taken from the measurements of the correlation tables, which lie in
--correlations.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

import click
import numpy as np

from benchmarks.lab.aggregates import CONTROLS, TERMS
from benchmarks.lab.journals import Journal, check_measured, check_records, read
from benchmarks.lab.measure import EXPERIMENTS, Experiment, settings_of
from benchmarks.results_folder import keep
from diswot.bench.measurement import Measured, evaluator_for
from diswot.bench.record_store import RECORDS
from diswot.bench.search_bench import Landscape, SearchBenchSettings, SearchRow, rows_of
from diswot.cli import options
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
    "student_fit_1",
    "filled_width+root_size",
    "filled_width+root_size+depth_alignment",
    "filled_width+root_size+pixel_alignment",
    "params",
    "size_ln",
    "diswot",
    "vkdnw_agg",
)
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
    check_measured(SEARCHED, work)
    tables = [table for tables in SEARCHED.values() for table in tables]
    check_records([correlations / table for table in tables], "python -m benchmarks --work")
    started = datetime.now(UTC)
    landscapes: list[tuple[Experiment, Landscape]] = []
    for name, known in SEARCHED.items():
        folders = [*(correlations / table for table in known), work / f"{name}-published"]
        result = _landscapes(name, folders, data_root, teachers, work)
        landscapes += [(EXPERIMENTS[name], landscape) for landscape in result]
    chosen = [row for _, landscape in landscapes for row in _top_scoring(landscape)]
    rows = list[SearchRow]()
    for experiment, landscape in landscapes:
        for limit in LIMITS if landscape.truth.startswith("nas") else (None,):
            budgeted = replace(landscape, budget=Budget(params=limit))
            rows += _searched(budgeted, experiment, limit)
    provenance = {"scorers": SCORERS, "max_params": LIMITS, "population": 20, "seeds": 20}
    keep("student-fit-budgets", chosen, {"scorers": SCORERS, "shares": SHARES}, started)
    keep("student-fit-search", rows, provenance, started)


def _landscapes(
    name: str,
    others: Sequence[Path],
    data_root: str | None,
    teachers: Path,
    work: Path,
) -> Iterator[Landscape]:
    """Yield all architectures, and, for scores that know a part of them, that part."""
    experiment = EXPERIMENTS[name]
    settings, truth = settings_of(experiment, teachers, data_root)
    journal = read(name, work=work, teachers=teachers, data_root=data_root)
    keys = [truth.space.canonical_key(arch) for arch in truth.architectures]
    known = [_terms(folder) for folder in others if (folder / RECORDS).exists()]
    whole = [terms for terms in known if terms.keys() >= set(keys)]
    parts = [(truth, whole, list(range(len(truth))))]
    if len(whole) < len(known):
        indices = [i for i, key in enumerate(keys) if all(key in terms for terms in known)]
        part = replace(truth.part(indices), name=f"{truth.name}, {len(indices):,} of them")
        parts.append((part, known, indices))
    records = _records(journal, experiment.repeats)
    signature = evaluator_for(settings).signature
    for part, used, indices in parts:
        joined = [_joined(records[i], [terms[keys[i]] for terms in used]) for i in indices]
        yield Landscape.of(part, experiment.target, joined, signature=signature, budget=Budget())


def _known(landscape: Landscape) -> Iterator[str]:
    """Yield the scores whose terms were measured."""
    terms = {term for record in landscape.records.values() for term in record.terms}
    for scorer in SCORERS:
        if set(find_scorer(scorer).terms) <= terms:
            yield scorer


def _top_scoring(landscape: Landscape) -> Iterator[BudgetRow]:
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


def _records(journal: Journal, repeats: int) -> list[Measured]:
    """Return what a journal knows of each architecture, the terms of `student_fit_1` among it."""
    made = {name: score(journal) for name, score in {**TERMS, **CONTROLS}.items()}
    shape = len(journal.architectures), repeats
    columns = {
        name: np.broadcast_to(values, shape) for name, values in {**journal.terms, **made}.items()
    }
    return [
        Measured(
            int(params),
            int(macs),
            {
                name: tuple(map(float, values[i]))
                for name, values in columns.items()
                if np.isfinite(values[i]).all()
            },
            {},
        )
        for i, (params, macs) in enumerate(zip(journal.params, journal.macs, strict=True))
    ]


def _joined(record: Measured, others: Sequence[Terms]) -> Measured:
    """Return a record with the means of other scores' terms in addition to its own."""
    repeats = len(next(iter(record.terms.values())))
    taken = {
        name: (sum(values) / len(values),) * repeats
        for terms in reversed(others)
        for name, values in terms.items()
    }
    return replace(record, terms={**taken, **record.terms})


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
