"""The figures of the documentation, from committed tables."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.documentation._bars import loss_gains, score_times, thin_regrets
from benchmarks.documentation._budgets import training_budget_curves
from benchmarks.documentation._scores import FIT_RANKED
from benchmarks.results_folder import RESULTS
from diswot.csv_table import read_table
from diswot.plots import Axis, Dot, Figure, Plot, Series, figure_svg

LOOKS = {
    "student_fit": "line-0",
    "student_fit_1": "line-0",
    "params": "line-5",
    "macs": "line-4",
    "layers": "line-2",
    "size_ln": "line-2",
    "diswot": "line-1",
    "without the teacher": "line-3",
    "teacher_alignment": "line-1",
}
"""Score → look of its series."""

FIRST_VERSION = {
    "resnet-s0": "S0, CIFAR-100",
    "cells-cifar10": "NAS-Bench-201, CIFAR-10",
    "cells-cifar100": "NAS-Bench-201, CIFAR-100",
    "autoformer": "AutoFormer at 32 px, CIFAR-100",
}
"""Truths of `student-fit.csv`, the table of the first version of the default score."""


@dataclass(frozen=True)
class Tau:
    """Kendall's τ of a score with its 95 % interval."""

    value: float
    low: float
    high: float


def default_taus() -> dict[str, dict[str, Tau]]:
    """Return Kendall's τ of the default score and of counts, by truth."""
    rows = read_table(RESULTS / "filled-forms.csv")
    results: dict[str, dict[str, Tau]] = {}
    for truth, (title, _) in FIT_RANKED.items():
        if of := {row["form"]: _tau(row, "") for row in rows if row["truth"] == truth}:
            results[title.removesuffix(", distilled")] = of
    return results


def first_taus() -> dict[str, dict[str, Tau]]:
    """Return Kendall's τ of the first version of the default score and its terms, by truth."""
    rows = read_table(RESULTS / "student-fit.csv")
    return {
        title: {row["score"]: _tau(row, "kendall_") for row in rows if row["truth"] == truth}
        for truth, title in FIRST_VERSION.items()
    }


def _tau(row: Mapping[str, str], prefix: str) -> Tau:
    return Tau(*(float(row[name]) for name in ("kendall", f"{prefix}low", f"{prefix}high")))


def rank_correlations() -> Figure:
    """Return the figure of how well the default score and counts rank on every truth."""
    scores = ("student_fit", "params", "macs", "layers")
    return Figure("scores-by-truth", (_intervals(default_taus(), scores, gap=0.18),))


def _intervals(
    by_truth: Mapping[str, Mapping[str, Tau]], scores: Sequence[str], *, gap: float
) -> Plot:
    """Return a plot with a line per truth, and an interval for each score on it."""
    lines = list(enumerate(reversed(list(by_truth.values()))))
    series = [Series("", "limit", "limit", (Dot(0, 0),))]
    for number, score in enumerate(scores):
        shift = gap * ((len(scores) - 1) / 2 - number)
        taus = [(line + shift, of[score]) for line, of in lines if score in of]
        dots = tuple(Dot(tau.value, y, None, (tau.low, tau.high)) for y, tau in taus)
        series.append(Series(score, "dots", LOOKS[score], dots))
    return Plot(
        "intervals",
        "",
        "",
        Axis("Kendall τ with accuracy, 95 % interval", limits=(-0.95, 1.02)),
        Axis("", categories=tuple(reversed(list(by_truth))), spacing=2.0),
        tuple(series),
    )


def regrets() -> Figure:
    """Return the figure of the accuracy lost by the top-scoring student, over budgets."""
    places = {
        ("resnet-s0", "distilled"): "S0",
        ("nas-bench-201", "cifar100"): "NAS-Bench-201, CIFAR-100",
        ("autoformer", "distilled"): "AutoFormer at 32 px",
    }
    rows = read_table(RESULTS / "student-fit-budgets.csv")
    return Figure(
        "scores-regret",
        tuple(_regret(rows, name, title) for name, title in places.items()),
        columns=3,
    )


def _regret(rows: Sequence[Mapping[str, str]], place: tuple[str, str], title: str) -> Plot:
    series = []
    for score in ("student_fit_1", "params", "size_ln", "diswot"):
        dots = tuple(
            Dot(100 * float(row["share"]), float(row["regret"]))
            for row in rows
            if (row["truth"], row["target"], row["scorer"]) == (*place, score)
        )
        series.append(Series(score, "line", LOOKS[score], dots))
    return Plot(
        title,
        title,
        "",
        Axis("students within the budget, %"),
        Axis("points of accuracy lost", limits=(0, 8 if "201" in title else 3.5)),
        tuple(series),
    )


def teacher_term() -> Figure:
    """Return the figure of the first version with and without its teacher term."""
    scores = ("student_fit_1", "without the teacher", "teacher_alignment")
    return Figure("scores-teacher", (_intervals(first_taus(), scores, gap=0.22),))


FIGURES: Mapping[str, Callable[[], Figure]] = {
    "scores-by-truth.svg": rank_correlations,
    "scores-regret.svg": regrets,
    "scores-teacher.svg": teacher_term,
    "scores-thin.svg": thin_regrets,
    "losses-gain.svg": loss_gains,
    "speed-scores.svg": score_times,
    "training-budgets.svg": training_budget_curves,
}
"""Files in docs/images, and what makes each."""


def drawn(name: str) -> bytes:
    """Return a figure as SVG; the same tables give the same bytes."""
    return figure_svg(FIGURES[name]()).encode()
