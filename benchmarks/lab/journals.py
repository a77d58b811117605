"""Reader of the journals of raw quantities, to try new aggregates in seconds."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks.lab.measure import EXPERIMENTS, settings_of
from diswot.bench.association import UndefinedStatisticError, Vector, kendall, partial_kendall
from diswot.bench.measurement import Measured, measure
from diswot.bench.record_store import RECORDS
from diswot.bench.selection import spearman_top
from diswot.progress import silent

TINY = 1e-9
"""Lower limit of quantities before the logarithm."""


@dataclass(frozen=True, eq=False)
class Journal:
    """The raw quantities of one experiment, of n architectures in R repeats.

    Attributes:
        name: of the experiment.
        architectures: n names.
        accuracies: (n,) in %, of the target.
        alone: (n,) accuracy without distillation, where the truth has it.
        params: (n,) parameters.
        macs: (n,) multiply-adds.
        terms: (n, R) values by quantity, (n, 1) of a count; NaN where a quantity failed.
    """

    name: str
    architectures: Sequence[str]
    accuracies: Vector
    alone: Vector | None
    params: Vector
    macs: Vector
    terms: Mapping[str, NDArray[np.float64]]

    def log(self, name: str) -> NDArray[np.float64]:
        """Return the logarithms of a quantity: (n, R)."""
        return np.log(np.maximum(np.nan_to_num(self.terms[name], nan=TINY), TINY))


@dataclass(frozen=True)
class Merit:
    """How well one aggregate ranks one experiment's architectures.

    Attributes:
        kendall: τ-b.
        partial: τ-b given the parameters.
        top: Spearman's ρ among the most accurate tenth.
    """

    kendall: float
    partial: float | None
    top: float | None


def check_measured(names: Iterable[str], work: Path) -> None:
    """Check that experiments were measured.

    Raises:
        click.UsageError: some were not; the message names them.
    """
    known = dict.fromkeys(item for name in names for item in (name, *EXPERIMENTS[name].reused))
    check_records([work / name for name in known], "python -m benchmarks.lab.measure --work")


def check_records(folders: Sequence[Path], measured_by: str) -> None:
    """Check that folders contain measurements.

    Raises:
        click.UsageError: some do not; the message names them and the command that measures.
    """
    paths = {folder: folder / RECORDS for folder in folders}
    missing = [
        folder for folder, path in paths.items() if not (path.is_file() and path.stat().st_size)
    ]
    if missing:
        raise click.UsageError(
            f"there are no measurements in {', '.join(map(str, missing))}, so all tables stay as "
            f"they are: measure with {measured_by}"
        )


@cache
def read(name: str, *, work: Path, teachers: Path, data_root: str | None) -> Journal:
    """Read what `benchmarks.lab.measure` wrote; what is missing of it is measured."""
    experiment = EXPERIMENTS[name]
    settings, truth = settings_of(experiment, teachers, data_root)
    architectures = [truth.space.to_string(arch) for arch in truth.architectures]
    result = measure(settings, architectures, work / name, progress=silent)
    terms = {term: _column(result, term, experiment.repeats) for term in _names(result)}
    for other in experiment.reused:
        taken = read(other, work=work, teachers=teachers, data_root=data_root)
        index = {arch: row for row, arch in enumerate(taken.architectures)}
        rows = [index[arch] for arch in architectures]
        terms = {**{term: values[rows] for term, values in taken.terms.items()}, **terms}
    return Journal(
        name,
        architectures,
        truth.accuracies(experiment.target),
        truth.targets.get("vanilla") if experiment.target == "distilled" else None,
        np.array([float(item.params) for item in result]),
        np.array([float(item.macs) for item in result]),
        terms,
    )


def merit(scores: Vector, journal: Journal) -> Merit:
    """Return rank statistics of `scores` (n,) and the accuracies."""
    truth = journal.accuracies
    try:
        partial = partial_kendall(scores, truth, [journal.params])
    except UndefinedStatisticError:
        partial = None
    return Merit(kendall(scores, truth), partial, spearman_top(scores, truth))


def _names(found: list[Measured]) -> list[str]:
    return list(dict.fromkeys(term for item in found for term in item.terms))


def _column(found: list[Measured], term: str, repeats: int) -> NDArray[np.float64]:
    missing = (np.nan,) * repeats
    return np.array([item.terms.get(term, missing) for item in found])
