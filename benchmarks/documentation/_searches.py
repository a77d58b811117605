"""Tables of searches: results and run times."""

import math
from collections.abc import Mapping

import numpy as np

from benchmarks.results_folder import RESULTS
from diswot.bench.rank_statistics import Vector
from diswot.bench.tables import markdown, number
from diswot.csv_table import read_table

ENGINES = ("evolution", "regularized")
"""Engines that are compared with random search in the tables."""


def interruptions() -> str:
    """Return the overhead of interruptions, workers and long journals in searches."""
    rows = [
        [row["what"], f"{float(row['value']):,.3g} {row['unit']}", row["how"]]
        for row in read_table(RESULTS / "resume.csv")
    ]
    return markdown(["what", "measured", "on"], rows)


def search(truth: str, after: str) -> str:
    """Return the engines' results on one ground truth after some evaluations."""
    rows = [
        row
        for row in read_table(RESULTS / "search.csv")
        if (row["truth"], row["evaluations"]) == (truth, after)
    ]
    results = {(row["budget"], row["scorer"], row["engine"]): row for row in rows}
    columns = ["budget", "score", "top-scoring", "random", "evolution", "gain", "wins", "p"]
    return markdown(
        [*columns, "regularized", "evolution is", "ms"],
        [
            _search_row(item, *(results[budget, scorer, engine] for engine in ENGINES))
            for (budget, scorer, name), item in results.items()
            if name == "random"
        ],
    )


def _search_row(
    random: Mapping[str, str], evolution: Mapping[str, str], regularized: Mapping[str, str]
) -> list[str]:
    gain = f"{float(evolution['difference']):+.2f}"
    why = f": {evolution['why']}" if evolution["why"] else ""
    return [
        random["budget"],
        random["scorer"],
        number(random["top_scored"]),
        _with_quartiles(random),
        _with_quartiles(evolution),
        f"{gain} [{number(evolution['difference_low'])}, {number(evolution['difference_high'])}]",
        number(evolution["wins"]),
        number(evolution["p"], ".2g"),
        _with_quartiles(regularized),
        f"{evolution['verdict']}{why}",
        number(evolution["milliseconds"], ".0f"),
    ]


def _with_quartiles(row: Mapping[str, str]) -> str:
    low, high = number(row["lower_quartile"]), number(row["upper_quartile"])
    return f"{number(row['accuracy'])} [{low}, {high}]"


def student_fit_search() -> str:
    """Return what evolution finds with `student_fit_1` and with other scores, and its regret."""
    results: dict[tuple[str, str], tuple[float, str]] = {}
    for row in read_table(RESULTS / "student-fit-search.csv"):
        if row["engine"] == "evolution":
            place = f"{_place(row)}, {row['budget']}"
            results[place, "best network"] = math.inf, number(row["best"])
            cell = f"{number(row['accuracy'])} ({number(row['regret'])})"
            results[place, f"`{row['scorer']}`"] = float(row["regret"]), cell
    return _by_scorer(results)


def student_fit_budgets() -> str:
    """Return the regret of what scores best, mean and worst over the budgets."""
    regrets: dict[tuple[str, str], list[float]] = {}
    for row in read_table(RESULTS / "student-fit-budgets.csv"):
        regrets.setdefault((_place(row), f"`{row['scorer']}`"), []).append(float(row["regret"]))
    return _by_scorer(
        {
            key: (mean := sum(values) / len(values), f"{mean:.2f} ({max(values):.2f})")
            for key, values in regrets.items()
        }
    )


_NAMES = {"resnet-s0": "S0", "nas-bench-201": "cells", "autoformer": "AutoFormer"}


def _place(row: Mapping[str, str]) -> str:
    truth, *part = row["truth"].split(", ", 1)
    return ", ".join([_NAMES[truth], row["target"], *part])


def _by_scorer(found: Mapping[tuple[str, str], tuple[float, str]]) -> str:
    """Return a table of regrets by score and place, the least of each place in bold."""
    places = dict.fromkeys(place for place, _ in found)
    least = {
        place: min(regret for (at, _), (regret, _) in found.items() if at == place)
        for place in places
    }
    rows = []
    for scorer in dict.fromkeys(scorer for _, scorer in found):
        cells = [found.get((place, scorer), (math.inf, "–")) for place in places]
        marked = [
            f"**{cell}**" if regret == least[place] else cell
            for place, (regret, cell) in zip(places, cells, strict=True)
        ]
        rows.append([scorer, *marked])
    return markdown(["", *places], rows)


THIN_CHOICES = {
    "search": "default search",
    "trainings": "search with `--trainings 20`",
    "largest": "largest",
    "random": "random",
}
"""Ways to choose among thin networks, and what they are called."""


def thin_budgets() -> str:
    """Return the regret of each way to choose within each budget of thin networks."""
    rows = [
        [
            f"{row['cost']} ≤ {float(row['limit']):,.6g}",
            row["networks"],
            number(row["best"], ".1f"),
            *(number(row[name], ".1f") for name in THIN_CHOICES),
        ]
        for row in read_table(RESULTS / "thin-budgets.csv")
    ]
    return markdown(["budget", "networks", "best accuracy", *THIN_CHOICES.values()], rows)


def thin_differences() -> str:
    """Return how much lower the regret of one choice is than that of another."""
    budgets = read_table(RESULTS / "thin-budgets.csv")
    rows = []
    for row in read_table(RESULTS / "thin-differences.csv"):
        gains = np.array([float(each[row["other"]]) - float(each[row["ours"]]) for each in budgets])
        ends = [
            (row["low"], row["high"]),
            interval_of(gains),
            (row["networks_low"], row["networks_high"]),
        ]
        cells = [f"{number(low, '.1f')} to {number(high, '.1f')}" for low, high in ends]
        compared = f"{THIN_CHOICES[row['ours']]} vs. {THIN_CHOICES[row['other']]}"
        rows.append([compared, number(row["mean"], ".1f"), *cells])
    over = ("interval over searches", "interval over budgets", "interval over networks")
    return markdown(["comparison", "gain in points", *over], rows)


def interval_of(gains: Vector) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of the mean gain over budgets, each a mean of searches."""
    places = np.random.default_rng(0).integers(len(gains), size=(9_999, len(gains)))
    low, high = np.percentile(gains[places].mean(axis=1), [2.5, 97.5])
    return float(low), float(high)
