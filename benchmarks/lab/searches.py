"""Search with `student_fit` and other scores: `python -m benchmarks.lab.searches`.

Scores of papers are taken from the measurements of the correlation tables, where these are in
--correlations.
"""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click

from benchmarks.lab.measure import EXPERIMENTS, settings_of
from benchmarks.ledger import RECORDS
from benchmarks.measurement import Measured, evaluator_for, measure
from benchmarks.results_folder import keep
from benchmarks.search_bench import Landscape, SearchBenchSettings, SearchRow, rows_of
from diswot.cli import options, shown_progress
from diswot.progress import Progress
from diswot.scorers import find_scorer
from diswot.search import Budget

SEARCHED: Mapping[str, str] = {
    "resnet-s0": "resnet-s0",
    "cells-cifar100": "nas-bench-201-aggregates-cifar100",
    "autoformer": "autoformer",
}
"""Experiments, and the correlation table's measurements that know other scores of them."""
SCORERS = ("student_fit", "filled_width+root_size", "params", "size_ln", "diswot", "vkdnw_agg")
_TERMS: Mapping[str, tuple[Callable[[float], float], str]] = {
    "filled_width": (math.log1p, "reach_rank_entropy"),
    "root_size": (math.log, "size_sides_1/2"),
    "teacher_alignment": (math.log1p, "alignment_mean"),
}
"""The terms of `student_fit`, of the raw quantities."""
LIMITS = (None, 500_000)
"""Parameters that a cell may have."""


@click.command()
@options.DATA_ROOT
@click.option("--teachers", type=click.Path(path_type=Path), required=True)
@click.option("--work", type=click.Path(path_type=Path), default=Path("runs/lab"))
@click.option("--correlations", type=click.Path(path_type=Path), default=Path("runs/bench"))
def main(data_root: str | None, teachers: Path, work: Path, correlations: Path) -> None:
    """Write results/student-fit-search.csv: 20 seeds of each engine by each score."""
    started, rows = datetime.now(UTC), list[SearchRow]()
    with shown_progress() as progress:
        for name, known in SEARCHED.items():
            rows += _searched(name, correlations / known, data_root, teachers, work, progress)
    made = {"scorers": SCORERS, "max_params": LIMITS, "population": 20, "seeds": 20}
    keep("student-fit-search", rows, made, started)


def _searched(
    name: str, known: Path, data_root: str | None, teachers: Path, work: Path, progress: Progress
) -> list[SearchRow]:
    experiment = EXPERIMENTS[name]
    settings, truth = settings_of(experiment, teachers, data_root)
    architectures = [truth.space.to_string(arch) for arch in truth.architectures]
    measured = measure(settings, architectures, work / name, progress=progress)
    others = _terms(known) or _terms(work / f"{name}-published")
    keys = [truth.space.canonical_key(arch) for arch in truth.architectures]
    joined = [_joined(each, others.get(key, {})) for each, key in zip(measured, keys, strict=True)]
    rows: list[SearchRow] = []
    for limit in LIMITS if name.startswith("cells") else (None,):
        landscape = Landscape.of(
            truth,
            experiment.target,
            joined,
            images=evaluator_for(settings).images,
            budget=Budget(params=limit),
        )
        for scorer in SCORERS:
            if not all(set(find_scorer(scorer).terms) <= set(each.terms) for each in joined[:1]):
                continue
            asked = SearchBenchSettings(
                truth.name,
                (scorer,),
                target=experiment.target,
                max_params=limit,
                repeats=experiment.repeats,
                batch_size=experiment.batch_size,
            )
            total = min(asked.evaluations, landscape.networks)
            rows += rows_of(
                landscape.scored(scorer),
                asked,
                [total],
                milliseconds=None,
                searched=lambda: None,
            )
    return rows


def _joined(measured: Measured, others: Mapping[str, tuple[float, ...]]) -> Measured:
    """Return a measurement with the terms of `student_fit`, and the means of others' terms."""
    repeats = len(next(iter(measured.terms.values())))
    taken = {name: (sum(v) / len(v),) * repeats for name, v in others.items()}
    own = {
        term: tuple(map(of, measured.terms[quantity])) for term, (of, quantity) in _TERMS.items()
    }
    return replace(measured, terms={**taken, **measured.terms, **own})


def _terms(folder: Path) -> dict[str, dict[str, tuple[float, ...]]]:
    """Return the terms that were measured for a correlation table, by canonical key."""
    if not (folder / RECORDS).exists():
        return {}
    records = map(json.loads, (folder / RECORDS).read_text(encoding="utf-8").splitlines())
    return {
        record["of"]: {name: tuple(values) for name, values in record["terms"].items()}
        for record in records
        if record["kind"] == "terms"
    }


if __name__ == "__main__":
    main()
