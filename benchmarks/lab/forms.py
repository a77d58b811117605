"""Forms of a score, tried on the layers that were measured: `python -m benchmarks.lab.forms`.

A form is selected on the other truths, worst case first and mean second, and measured on the one
left out. Forms that were added after the tables had been seen make these figures too high: page 11
of the lab book says which.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias

import click
import numpy as np

from benchmarks.lab.layers import SUBJECTS
from benchmarks.results_folder import RESULTS, keep
from diswot.bench.rank_statistics import Vector, kendall, kendall_interval
from diswot.bench.tables import markdown
from diswot.csv_table import read_csv

LEFT_OUT = ("resnet-s0", "nas-bench-201", "nas-bench-macro", "nats-sss", "autoformer-224")
"""Truths of which each is left out once: AutoFormer as it was trained, and not digits, where 60
training images make the smallest networks the best, so that every form is as wrong as size is."""


@dataclass(frozen=True)
class Network:
    """The layers of one network: a number for each of them, and its costs."""

    rank: Vector
    channels: Vector
    weights: Vector
    taps: Vector
    positions: Vector
    reach: Vector
    params: float
    macs: float


Form: TypeAlias = Callable[[Network], float]


def _sum(values: Vector) -> float:
    return float(np.log1p(values.sum()))


def _entropy(of: Network) -> Vector:
    return np.asarray(np.log(of.rank))


FORMS: Mapping[str, Form] = {
    "params": lambda n: n.params,
    "macs": lambda n: n.macs,
    "layers": lambda n: float(len(n.rank)),
    "√r": lambda n: _sum(np.sqrt(n.rank)),
    "r": lambda n: _sum(n.rank),
    "r ln r": lambda n: _sum(n.rank * _entropy(n)),
    "r ln r · taps^¼": lambda n: _sum(n.rank * _entropy(n) * n.taps**0.25),
    "r ln² r": lambda n: _sum(n.rank * _entropy(n) ** 2),
    "r ln r · positions^¼": lambda n: _sum(n.rank * _entropy(n) * n.positions**0.25),
    "r ln r · positions^½": lambda n: _sum(n.rank * _entropy(n) * n.positions**0.5),
    "r ln r · taps^¼ · positions^¼": lambda n: _sum(
        n.rank * _entropy(n) * (n.taps * n.positions) ** 0.25
    ),
    "r · ln(1 + positions)": lambda n: _sum(n.rank * np.log1p(n.positions)),
    "r ln r · ln(1 + positions)": lambda n: _sum(n.rank * _entropy(n) * np.log1p(n.positions)),
    "√r · ln(1 + positions)": lambda n: _sum(np.sqrt(n.rank) * np.log1p(n.positions)),
    "r ln r + reach": lambda n: _sum(n.rank * _entropy(n)) + float(np.log1p(n.reach.mean())),
    "r ln r · reach": lambda n: _sum(n.rank * _entropy(n) * n.reach),
    "r ln r · √reach": lambda n: _sum(n.rank * _entropy(n) * np.sqrt(n.reach)),
    "r ln r · taps^¼ · √reach": lambda n: _sum(
        n.rank * _entropy(n) * n.taps**0.25 * np.sqrt(n.reach)
    ),
    "r ln r, and √weights": lambda n: (
        _sum(n.rank * _entropy(n)) + float(np.log(np.sqrt(n.weights / np.sqrt(n.taps)).sum()))
    ),
    "ln(1 + r ln r) of each": lambda n: float(np.log1p(n.rank * _entropy(n)).sum()),
    "r ln r · √filled": lambda n: _sum(n.rank * _entropy(n) * np.sqrt(n.rank / n.channels)),
    "√r ln r · √filled": lambda n: _sum(
        np.sqrt(n.rank) * _entropy(n) * np.sqrt(n.rank / n.channels)
    ),
    "r ln r · √filled, and ln r · ln(1 + positions)": lambda n: (
        _sum(n.rank * _entropy(n) * np.sqrt(n.rank / n.channels))
        + _sum(_entropy(n) * np.log1p(n.positions))
    ),
    "r ln r · filled": lambda n: _sum(n.rank * _entropy(n) * n.rank / n.channels),
    "r ln² r · √filled": lambda n: _sum(n.rank * _entropy(n) ** 2 * np.sqrt(n.rank / n.channels)),
    "r ln² r · filled": lambda n: _sum(n.rank * _entropy(n) ** 2 * n.rank / n.channels),
}
"""All without fitted constants, by the name that tables have; `filled` is r over the channels."""

BASELINES = ("params", "macs", "layers")
"""Counts: not to choose from."""


@dataclass(frozen=True)
class FormRow:
    """One form on one truth.

    Attributes:
        truth: the table.
        form: its name.
        architectures: how many are ranked.
        kendall: τ-b.
        low: end of its 95 % interval over the architectures.
        high: the other end.
        chosen: whether the form is the one that the other truths choose.
    """

    truth: str
    form: str
    architectures: int
    kendall: float
    low: float
    high: float
    chosen: bool


def networks_of(name: str) -> tuple[list[Network], Vector]:
    """Read the measured networks of a truth, and their accuracies.

    Raises:
        DataError: there are no measurements.
    """
    table = read_csv(RESULTS / f"layers-{name}.csv")
    columns = ("ranks", "channels", "weights", "taps", "positions", "reach")
    layers = [[np.array(cell.split(), float) for cell in table.column(item)] for item in columns]
    costs = [table.numbers(item).tolist() for item in ("params", "macs")]
    networks = [Network(*values) for values in zip(*layers, *costs, strict=True)]
    return networks, table.numbers("accuracy")


def chosen(taus: Mapping[str, Mapping[str, float]], left_out: str) -> str:
    """Return the form with the best worst-case τ on the other truths; of ties the best mean."""
    others = [name for name in LEFT_OUT if name != left_out]

    def merit(form: str) -> tuple[float, float]:
        values = [taus[name][form] for name in others]
        return round(min(values), 2), float(np.mean(values))

    return max((form for form in FORMS if form not in BASELINES), key=merit)


@click.command()
def main() -> None:
    """Write benchmarks/results/forms.csv, and print τ of every form on every truth."""
    started = datetime.now(UTC)
    results = {name: networks_of(name) for name in SUBJECTS}
    scores = {
        name: {form: np.array([f(network) for network in networks]) for form, f in FORMS.items()}
        for name, (networks, _) in results.items()
    }
    taus = {
        name: {form: kendall(values, results[name][1]) for form, values in of.items()}
        for name, of in scores.items()
    }
    rows = [
        FormRow(
            name,
            form,
            len(values),
            taus[name][form],
            *kendall_interval(values, results[name][1]),
            chosen=form == chosen(taus, name),
        )
        for name, of in scores.items()
        for form, values in of.items()
    ]
    keep("forms", rows, {"left_out": list(LEFT_OUT), "forms": list(FORMS)}, started)
    worst = {form: min(taus[name][form] for name in LEFT_OUT) for form in FORMS}
    cells = [
        [form, *(f"{taus[name][form]:.3f}" for name in SUBJECTS), f"{worst[form]:.3f}"]
        for form in sorted(FORMS, key=lambda form: -worst[form])
    ]
    click.echo(markdown(["form", *SUBJECTS, "worst"], cells))
    for name in LEFT_OUT:
        form = chosen(taus, name)
        click.echo(f"without {name}: {form}, which has {taus[name][form]:.3f} there")


if __name__ == "__main__":
    main()
