"""Forms of `student_fit` from layers: `python -m benchmarks.lab.filled_forms`.

A form is selected on the others, worst case first and mean second, and measured on the one left
out: page 12 of the lab book says what was tried before the list was closed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product
from typing import TypeAlias

import click
import numpy as np

from benchmarks.lab.layers import SUBJECTS
from benchmarks.results_folder import RESULTS, keep
from diswot.bench.rank_statistics import Vector, kendall, kendall_interval
from diswot.bench.tables import markdown
from diswot.csv_table import read_csv
from diswot.scorers.student_fit import output_freedom

LEFT_OUT = (
    "resnet-s0",
    "nas-bench-201",
    "nas-bench-macro",
    "nats-sss",
    "autoformer-224",
    "digits-thin",
)
"""Truths of the leave-one-out selection."""

LAYERS = ("read", "written", "positions", "taps", "channels")
"""Columns with a number for each layer."""


@dataclass(frozen=True)
class Network:
    """The layers of one network that write several positions, and what is counted of all.

    Attributes:
        read: directions that each layer reads in an image.
        written: those that it writes.
        positions: where it writes.
        taps: of its kernel.
        channels: that it writes.
        params: parameters.
        macs: multiply-adds.
        layers: how many layers there are.
        freedom: degrees of freedom of the outputs, relative to all (`output_freedom`).
    """

    read: Vector
    written: Vector
    positions: Vector
    taps: Vector
    channels: Vector
    params: float
    macs: float
    layers: int
    freedom: float


@dataclass(frozen=True)
class Truth:
    """Measurements of a truth.

    Attributes:
        networks: in the order of their accuracies.
        accuracies: in %.
        scores: `student_fit`, networks × initializations.
    """

    networks: list[Network]
    accuracies: Vector
    scores: Vector


Weight: TypeAlias = Callable[[Network], Vector]
Form: TypeAlias = Callable[[Network], float]


def _per_side(n: Network) -> Vector:
    """Return √(q r √t): √t is the side of a kernel, as √P is that of a map."""
    return np.sqrt(n.read * n.written * np.sqrt(n.taps))


WEIGHTS: Mapping[str, Weight] = {
    "r": lambda n: n.written,
    "r ln r": lambda n: n.written * np.log(n.written),
    "r ln(r t)": lambda n: n.written * np.log(n.written * n.taps),
    "√(q r) ln(r t)": lambda n: np.sqrt(n.read * n.written) * np.log(n.written * n.taps),
    "√(q r) ln(q t)": lambda n: np.sqrt(n.read * n.written) * np.log(n.read * n.taps),
    "√(q r) ln(q r t)": lambda n: np.sqrt(n.read * n.written) * np.log(n.read * n.written * n.taps),
    "√(q r √t) ln(q r √t)": lambda n: _per_side(n) * np.log(n.read * n.written * np.sqrt(n.taps)),
    "√(q r √t) ln(q r t)": lambda n: _per_side(n) * np.log(n.read * n.written * n.taps),
    "min(q, r) ln(q r t)": lambda n: (
        np.minimum(n.read, n.written) * np.log(n.read * n.written * n.taps)
    ),
}
"""What a layer counts: r directions written, q read, t taps of its kernel."""

POWERS = {"": 0.0, " / P^¼": 0.25, " / P^⅜": 0.375, " / √P": 0.5, " / P^⅝": 0.625}
"""What that is divided by: powers of the positions P."""

FREEDOM = {"": False, "ρ · ": True}
"""Whether the sum is multiplied by the freedom ρ of the outputs."""

OURS = "ρ · √(q r) ln(q r t) / √P"
"""The form of `student_fit`."""


def _form(weight: Weight, power: float, *, free: bool) -> Form:
    def value(n: Network) -> float:
        total = (weight(n) / n.positions**power).sum()
        return float(np.log1p(n.freedom * total if free else total))

    return value


FORMS: Mapping[str, Form] = {
    f"{factor}{name}{by}": _form(weight, power, free=free)
    for (factor, free), (name, weight), (by, power) in product(
        FREEDOM.items(), WEIGHTS.items(), POWERS.items()
    )
}

COUNTS: Mapping[str, Form] = {
    "params": lambda n: n.params,
    "macs": lambda n: n.macs,
    "layers": lambda n: float(n.layers),
}


@dataclass(frozen=True)
class FormRow:
    """One form on one truth.

    Attributes:
        truth: the table.
        form: its name.
        networks: how many are ranked.
        seeds: initializations; τ is the mean over them.
        kendall: τ-b.
        low: end of its 95 % interval over the networks.
        high: the other end.
        seed_sd: standard deviation of τ between initializations.
        chosen: whether the form is the one that the other truths choose.
    """

    truth: str
    form: str
    networks: int
    seeds: int
    kendall: float
    low: float
    high: float
    seed_sd: float
    chosen: bool


def truth_of(name: str) -> Truth:
    """Read the measurements of a truth.

    Raises:
        DataError: there are none.
    """
    table = read_csv(RESULTS / f"filled-{name}.csv")
    columns = [_split(table.column(item)) for item in LAYERS]
    costs = np.array([table.numbers(item) for item in ("params", "macs")]).T.tolist()
    networks = []
    for row, (params, macs) in zip(zip(*columns, strict=True), costs, strict=True):
        of = dict(zip(LAYERS, row, strict=True))
        several = of["positions"] > 1
        counted = {name: values[several] for name, values in of.items()}
        width, outputs = of["channels"][several][-1], of["channels"][-1]
        freedom = output_freedom(width, int(outputs))  # a linear layer follows the last map
        counts = {"params": params, "macs": macs, "layers": len(several), "freedom": freedom}
        networks.append(Network(**counted, **counts))
    return Truth(networks, table.numbers("accuracy"), np.array(_split(table.column("scores"))))


def _split(cells: Sequence[str]) -> list[Vector]:
    return [np.array(cell.split(), float) for cell in cells]


def chosen(taus: Mapping[str, Mapping[str, float]], left_out: str) -> str:
    """Return the form with the best worst-case τ on the other truths; of ties the best mean."""
    others = [name for name in taus if name not in (left_out, "digits-s0", "autoformer")]

    def merit(form: str) -> tuple[float, float]:
        values = [taus[name][form] for name in others]
        return round(min(values), 2), float(np.mean(values))

    return max(FORMS, key=merit)


def row_of(name: str, truth: Truth, form: str, scores: Vector, *, best: bool = False) -> FormRow:
    """Return how well scores, networks × seeds, rank a truth."""
    taus = [kendall(item, truth.accuracies) for item in scores.T]
    low, high = kendall_interval(scores.mean(axis=1), truth.accuracies)
    spread = float(np.std(taus, ddof=1)) if len(taus) > 1 else 0.0
    mean = float(np.mean(taus))
    return FormRow(name, form, len(scores), len(taus), mean, low, high, spread, best)


@click.command()
def main() -> None:
    """Write benchmarks/results/filled-forms.csv, and print τ of every form on every truth."""
    started = datetime.now(UTC)
    truths = {n: truth_of(n) for n in SUBJECTS if (RESULTS / f"filled-{n}.csv").exists()}
    scores = {
        name: {
            form: np.array([of(network) for network in truth.networks]) for form, of in ALL.items()
        }
        for name, truth in truths.items()
    }
    taus = {
        name: {form: kendall(values, truths[name].accuracies) for form, values in of.items()}
        for name, of in scores.items()
    }
    rows = []
    for name, truth in truths.items():
        best = chosen(taus, name) if name in LEFT_OUT else ""
        rows.append(row_of(name, truth, "student_fit", truth.scores))
        rows += [
            row_of(name, truth, form, values[:, None], best=form == best)
            for form, values in scores[name].items()
        ]
    keep("filled-forms", rows, {"left_out": list(LEFT_OUT), "forms": list(FORMS)}, started)
    compared = [name for name in LEFT_OUT if name in taus]
    worst = {form: min(taus[name][form] for name in compared) for form in ALL}
    cells = [
        [form, *(f"{taus[name][form]:.3f}" for name in taus), f"{worst[form]:.3f}"]
        for form in sorted(ALL, key=lambda form: -worst[form])
    ]
    click.echo(markdown(["form", *taus, "worst"], cells))
    for name in compared:
        form = chosen(taus, name)
        click.echo(f"without {name}: {form}, which has {taus[name][form]:.3f} there")


ALL: Mapping[str, Form] = {**COUNTS, **FORMS}

if __name__ == "__main__":
    main()
