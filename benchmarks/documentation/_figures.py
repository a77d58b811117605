"""The figures of *Which score to trust*, from committed tables."""

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.documentation._scores import FIT_RANKED
from benchmarks.results_folder import RESULTS
from diswot.csv_table import read_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLORS = {
    "student_fit": "#1b5fa7",
    "student_fit_1": "#1b5fa7",
    "params": "#8a8f98",
    "macs": "#c27c0e",
    "layers": "#2f8f5b",
    "size_ln": "#2f8f5b",
    "diswot": "#b2433f",
    "without the teacher": "#7fb0e0",
    "teacher_alignment": "#b2433f",
}
MARKERS = {"student_fit": "o", "params": "s", "macs": "^", "layers": "v"}

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
    found: dict[str, dict[str, Tau]] = {}
    for truth, (title, _) in FIT_RANKED.items():
        if of := {row["form"]: _tau(row, "") for row in rows if row["truth"] == truth}:
            found[title.removesuffix(", distilled")] = of
    return found


def first_taus() -> dict[str, dict[str, Tau]]:
    """Return Kendall's τ of the first version of the default score and its terms, by truth."""
    rows = read_table(RESULTS / "student-fit.csv")
    return {
        title: {row["score"]: _tau(row, "kendall_") for row in rows if row["truth"] == truth}
        for truth, title in FIRST_VERSION.items()
    }


def _tau(row: Mapping[str, str], prefix: str) -> Tau:
    return Tau(*(float(row[name]) for name in ("kendall", f"{prefix}low", f"{prefix}high")))


def rank_correlations(figure: "Figure") -> None:
    """Draw how well the default score and counts rank on every truth."""
    axes = figure.subplots()
    _intervals(axes, default_taus(), ("student_fit", "params", "macs", "layers"), gap=0.18)
    axes.axvline(0, color="#555555", lw=0.8)
    axes.set_xlim(-0.95, 1.02)
    axes.set_xlabel("Kendall τ with accuracy, 95 % interval")
    figure.legend(loc="outside upper center", ncols=4, frameon=False, fontsize=9)


def _intervals(
    axes: "Axes",
    found: Mapping[str, Mapping[str, Tau]],
    scores: Sequence[str],
    *,
    gap: float,
) -> None:
    """Draw a line per truth, from the top, with a point and an interval for each score."""
    for line, of in enumerate(reversed(list(found.values()))):
        for number, score in enumerate(scores):
            if score not in of:
                continue
            height = line + gap * ((len(scores) - 1) / 2 - number)
            tau = of[score]
            label = score if line == len(found) - 1 else None
            axes.plot([tau.low, tau.high], [height] * 2, color=COLORS[score], lw=1.4)
            marker = MARKERS.get(score, "o")
            axes.plot(tau.value, height, marker, color=COLORS[score], ms=5, label=label)
    axes.set_yticks(range(len(found)), list(found)[::-1], fontsize=9)
    axes.grid(axis="x", color="#e3e6eb")


def regrets(figure: "Figure") -> None:
    """Draw the accuracy lost by the top-scoring student, over budgets of parameters."""
    places = {
        ("resnet-s0", "distilled"): "S0",
        ("nas-bench-201", "cifar100"): "NAS-Bench-201, CIFAR-100",
        ("autoformer", "distilled"): "AutoFormer at 32 px",
    }
    rows = read_table(RESULTS / "student-fit-budgets.csv")
    for axes, (place, title) in zip(figure.subplots(1, 3), places.items(), strict=True):
        for score in ("student_fit_1", "params", "size_ln", "diswot"):
            points = [
                (100 * float(row["share"]), float(row["regret"]))
                for row in rows
                if (row["truth"], row["target"], row["scorer"]) == (*place, score)
            ]
            label = score if title == "S0" else None
            axes.plot(*zip(*points, strict=True), color=COLORS[score], lw=1.6, label=label)
        axes.set_title(title, fontsize=10)
        axes.set_xlabel("students within the budget, %", fontsize=9)
        axes.set_ylim(0, 8 if "201" in title else 3.5)
        axes.grid(color="#e3e6eb")
    figure.axes[0].set_ylabel("points of accuracy lost")
    figure.legend(loc="outside upper center", ncols=4, frameon=False, fontsize=9)


def teacher_term(figure: "Figure") -> None:
    """Draw the first version with and without its teacher term, and that term alone."""
    axes = figure.subplots()
    _intervals(
        axes, first_taus(), ("student_fit_1", "without the teacher", "teacher_alignment"), gap=0.22
    )
    axes.axvline(0, color="#555555", lw=0.8)
    axes.set_xlim(-0.95, 1.02)
    axes.set_xlabel("Kendall τ with accuracy, 95 % interval")
    figure.legend(loc="outside upper center", ncols=3, frameon=False, fontsize=9)


FIGURES: Mapping[str, tuple[Callable[["Figure"], None], tuple[float, float]]] = {
    "scores-by-truth.svg": (rank_correlations, (8, 4.4)),
    "scores-regret.svg": (regrets, (9, 3.6)),
    "scores-teacher.svg": (teacher_term, (8, 3.4)),
}
"""Files in docs/images, what draws each, and its size in inches."""


def drawn(name: str) -> bytes:
    """Return a figure as SVG; the same tables give the same bytes."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    draw, size = FIGURES[name]
    with rc_context({"svg.hashsalt": name, "text.parse_math": False}):
        figure = Figure(figsize=size, layout="constrained", facecolor="white")
        draw(figure)
        written = io.BytesIO()
        figure.savefig(written, format="svg", metadata={"Date": None})
    return written.getvalue()
