"""What searches find, and what a long one costs."""

from collections.abc import Mapping

from benchmarks.results_folder import RESULTS
from benchmarks.tables import markdown, number
from diswot.csv_table import read_table

ENGINES = ("evolution", "regularised")
"""Beside random search in the tables of searches."""


def lasting() -> str:
    """Return what stopping, workers and long journals do to a search."""
    rows = [
        [row["what"], f"{float(row['value']):,.3g} {row['unit']}", row["how"]]
        for row in read_table(RESULTS / "lasting.csv")
    ]
    return markdown(["what", "measured", "on"], rows)


def search(truth: str, after: str) -> str:
    """Return what engines find on one ground truth after so many evaluations."""
    rows = [
        row
        for row in read_table(RESULTS / "search.csv")
        if (row["truth"], row["evaluations"]) == (truth, after)
    ]
    found = {(row["budget"], row["scorer"], row["engine"]): row for row in rows}
    columns = ["budget", "score", "best-scored", "random", "evolution", "gain", "wins", "p"]
    return markdown(
        [*columns, "regularised", "evolution is", "ms"],
        [
            _search_row(each, *(found[budget, scorer, engine] for engine in ENGINES))
            for (budget, scorer, name), each in found.items()
            if name == "random"
        ],
    )


def _search_row(
    random: Mapping[str, str], evolution: Mapping[str, str], regularised: Mapping[str, str]
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
        _with_quartiles(regularised),
        f"{evolution['verdict']}{why}",
        number(evolution["milliseconds"], ".0f"),
    ]


def _with_quartiles(row: Mapping[str, str]) -> str:
    low, high = number(row["lower_quartile"]), number(row["upper_quartile"])
    return f"{number(row['accuracy'])} [{low}, {high}]"


def student_fit_search() -> str:
    """Return what evolution finds with `student_fit` and with other scores, and its regret."""
    rows = [
        row
        for row in read_table(RESULTS / "student-fit-search.csv")
        if row["engine"] == "evolution"
    ]
    best = {(row["truth"], row["budget"]): row["best"] for row in rows}
    least = {
        where: min(float(row["regret"]) for row in rows if (row["truth"], row["budget"]) == where)
        for where in best
    }
    found: dict[str, dict[tuple[str, str], str]] = {}
    for row in rows:
        where = row["truth"], row["budget"]
        cell = f"{number(row['accuracy'])} ({number(row['regret'])})"
        bold = float(row["regret"]) == least[where]
        found.setdefault(row["scorer"], {})[where] = f"**{cell}**" if bold else cell
    table = [["best there is", *map(number, best.values())]]
    table += [[f"`{name}`", *(of.get(where, "–") for where in best)] for name, of in found.items()]
    return markdown(["", *(f"{truth}, {budget}" for truth, budget in best)], table)
