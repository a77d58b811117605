"""Figures of run times, losses and budgets, from committed tables."""

from collections.abc import Mapping, Sequence

from benchmarks.documentation._searches import THIN_CHOICES
from benchmarks.results_folder import RESULTS
from diswot.csv_table import read_table
from diswot.plots import Axis, Dot, Figure, Plot, Series

SHORTEST = 0.04
"""Left end of the axis of run times, as a ratio."""

COMBINED = ("(", "+")
"""Characters in the names of combinations of scores, which the figure leaves out."""

LOOKS = {"search": "line-0", "trainings": "line-2", "largest": "line-4", "random": "line-5"}
"""Way to choose a thin network → look of its series."""


def score_times() -> Figure:
    """Return the figure of the time of each score, relative to a bare forward pass."""
    ratios = {
        row["what"]: float(row["ratio"])
        for row in read_table(RESULTS / "speed.csv")
        if row["table"] == "scorers"
        and row["what"] != "forward"
        and not any(mark in row["what"] for mark in COMBINED)
    }
    names = sorted(ratios, key=lambda name: -ratios[name])
    plot = Plot(
        "times",
        "",
        "",
        Axis("time relative to a bare forward pass", log=True, limits=(SHORTEST, 10)),
        Axis("", categories=tuple(names), spacing=0.7),
        (
            Series("", "limit", "limit", (Dot(1, 0),)),
            _bars("", "line-0", [ratios[name] for name in names], start=SHORTEST),
        ),
    )
    return Figure("speed-scores", (plot,))


def _bars(
    label: str, look: str, values: Sequence[float], *, start: float = 0.0, shift: float = 0.0
) -> Series:
    """Return a series with a dot per category, joined to the start of the axis by a line."""
    dots = (Dot(value, y + shift, None, (start, value)) for y, value in enumerate(values))
    return Series(label, "dots", look, tuple(dots))


def loss_gains() -> Figure:
    """Return the figure of the gain of each loss over training alone, for two datasets."""
    rows = [row for row in read_table(RESULTS / "losses.csv") if row["gain"]]
    titles = {"digits": "digits, 20 epochs", "cifar100": "CIFAR-100 sample, 1 epoch"}
    plots = [
        _gains([row for row in rows if row["data"] == data], title)
        for data, title in titles.items()
    ]
    return Figure("losses-gain", tuple(plots), columns=2)


def _gains(rows: Sequence[Mapping[str, str]], title: str) -> Plot:
    losses = list(dict.fromkeys(row["loss"] for row in rows))[::-1]
    gains = {(row["student"], row["loss"]): float(row["gain"]) for row in rows}
    series = [Series("", "limit", "limit", (Dot(0, 0),))]
    looks = (("line-0", 0.15), ("line-4", -0.15))
    students = dict.fromkeys(row["student"] for row in rows)
    for student, (look, shift) in zip(students, looks, strict=True):
        label = "student of S0" if student.startswith("s0:") else "ResNet-20"
        values = [gains[student, loss] for loss in losses]
        series.append(_bars(label, look, values, shift=shift))
    return Plot(
        title,
        title,
        "",
        Axis("gain over training alone, points"),
        Axis("", categories=tuple(losses), spacing=1.5),
        tuple(series),
    )


def thin_regrets() -> Figure:
    """Return the figure of the regret of each way to choose a thin network, by budget."""
    rows = read_table(RESULTS / "thin-budgets.csv")
    costs = {"params": "parameters", "macs": "multiply-adds", "latency_ms": "latency"}
    plots = [
        _regrets([row for row in rows if row["cost"] == cost], f"budgets of {title}")
        for cost, title in costs.items()
    ]
    return Figure("scores-thin", tuple(plots), columns=3)


def _regrets(rows: Sequence[Mapping[str, str]], title: str) -> Plot:
    series = []
    for choice, look in LOOKS.items():
        dots = tuple(Dot(float(row["networks"]), float(row[choice])) for row in rows)
        series.append(Series(THIN_CHOICES[choice].replace("`", ""), "line", look, dots))
    return Plot(
        title,
        title,
        "",
        Axis("networks within the budget", whole=True),
        Axis("points of accuracy lost", limits=(0, 70)),
        tuple(series),
    )
