"""Tables of what a budget of trainings gains."""

from collections.abc import Mapping
from statistics import fmean

from benchmarks.results_folder import RESULTS
from diswot.bench.tables import markdown, number
from diswot.csv_table import read_table
from diswot.plots import Axis, Dot, Figure, Plot, Series

_METHODS = {
    "diswot": "short trainings with the score",
    "top of the score": "top-scoring networks, in full",
    "regularized evolution": "regularized evolution, short trainings",
    "tpe": "optuna's TPE, short trainings",
}
"""The methods that pages compare, and what they are called there."""

_LINES = {
    "diswot": ("short trainings with the score", "line-0"),
    "top of the score": ("top-scoring networks, in full", "line-5"),
    "regularized evolution": ("regularized evolution", "line-4"),
    "hyperband": ("Hyperband", "line-1"),
    "random, short": ("random, short trainings", "line-3"),
    "tpe": ("TPE", "line-2"),
}
"""The methods of the figure: label and look."""


def training_budgets(table: str, max_params: str = "") -> str:
    """Return the regret of each method by the number of full trainings it may spend.

    Args:
        table: name of a table of trained networks, such as `nas-bench-201`.
        max_params: maximum number of parameters; by default no limit.
    """
    rows = read_table(RESULTS / f"training-budgets-{table}.csv")
    results = {
        (row["method"], row["cost"]): _regret(row)
        for row in rows
        if row["max_params"] == max_params and float(row["cost"]) > 0
    }
    costs = list(dict.fromkeys(cost for _, cost in results))
    return markdown(
        ["full trainings", *costs],
        [
            [label, *(results[name, cost] for cost in costs)]
            for name, label in _METHODS.items()
            if (name, costs[0]) in results
        ],
    )


TABLES = {
    "nas-bench-201": "NAS-Bench-201, CIFAR-100",
    "nas-bench-201-cifar10": "NAS-Bench-201, CIFAR-10",
    "nas-bench-macro": "NAS-Bench-Macro",
    "nats-sss": "NATS-SSS",
    "resnet-s0": "S0",
    "autoformer": "AutoFormer",
    "digits-thin": "thin networks",
}
"""Tables of the comparison, and their names on pages."""


def training_budget_summary() -> str:
    """Return the mean regrets of the search, marked where another method is clearly better."""
    rows = [row for table in TABLES for row in _rows_of_ours(table)]
    by_table: dict[str, list[Mapping[str, str]]] = {}
    for row in rows:
        by_table.setdefault(_title(row["table"], row["max_params"]), []).append(row)
    costs = list(dict.fromkeys(row["cost"] for row in rows))
    return markdown(
        ["table", "networks", *costs],
        [
            [title, of_table[0]["networks"], *map(_against, of_table)]
            for title, of_table in by_table.items()
        ],
    )


def _rows_of_ours(table: str) -> list[Mapping[str, str]]:
    rows = read_table(RESULTS / f"training-budgets-{table}.csv")
    return [row for row in rows if row["method"] == "diswot"]


def _title(table: str, limit: str) -> str:
    return TABLES[table] + (f", ≤ {float(limit) / 1e3:,.0f}k" if limit else "")


def _against(row: Mapping[str, str]) -> str:
    """Return a mean regret and, where it is clearly higher than another method's, by how much."""
    mean = number(row["mean"])
    if float(row["behind_low"]) <= 0:
        return mean
    return f"**{mean}** (+{number(row['behind'])})"


def ranker_settings() -> str:
    """Return the settings of the ranker that the other tables select, and their regret."""
    regrets: dict[str, dict[str, list[float]]] = {}
    for row in read_table(RESULTS / "ranker-settings.csv"):
        by_table = regrets.setdefault(row["setting"], {})
        by_table.setdefault(row["table"], []).append(100 * float(row["relative"]))
    rows = []
    for left_out in regrets[_DEFAULT]:

        def on_others(setting: str, left_out: str = left_out) -> float:
            return fmean(
                fmean(values) for name, values in regrets[setting].items() if name != left_out
            )

        chosen = min(regrets, key=on_others)
        of = [fmean(regrets[setting][left_out]) for setting in (chosen, _DEFAULT)]
        cells = [f"{value:.1f}" for value in (*of, *_range(regrets, left_out))]
        rows.append([TABLES[left_out], chosen, *cells[:2], f"{cells[2]} to {cells[3]}"])
    columns = ["left out", "selected on the others", "its regret", "default", "all settings"]
    return markdown(columns, rows)


_DEFAULT = "default"


def early_stopping() -> str:
    """Return what early stopping saves, and what it costs in accuracy."""
    rows = [
        [
            f"{row['epochs']}, " + (f"≤ {row['max_params']}" if row["max_params"] else "all"),
            row["arm"],
            number(row["trainings"], ".1f"),
            number(row["stopped"], ".1f"),
            number(row["spent"], ".0f"),
            row["missed"],
            *(_loss(row, full) for full in ("1", "3")),
        ]
        for row in read_table(RESULTS / "early-stopping.csv")
    ]
    columns = ["epochs, parameters", "arm", "trainings", "stopped", "epochs spent", "best stopped"]
    return markdown([*columns, "regret, first network", "regret, best of three"], rows)


def _loss(row: Mapping[str, str], full: str) -> str:
    """Return a mean regret, with the interval of its difference unless it is the reference."""
    mean = number(row[f"regret_{full}"])
    if row["arm"] == "all epochs":
        return mean
    return f"{mean} [{number(row[f'low_{full}'], '+.2f')}, {number(row[f'high_{full}'], '+.2f')}]"


def ranker_overhead() -> str:
    """Return the time of the ranker next to that of the short trainings."""
    rows = [
        [row["run"], row["candidates"], row["trainings"], *(number(row[n], f) for n, f in _TIMES)]
        for row in read_table(RESULTS / "ranker-overhead.csv")
    ]
    columns = ["run", "candidates", "trainings", "trainings, s", "the rest, s", "overhead, %"]
    return markdown(columns, rows)


_TIMES = (("training_seconds", ".1f"), ("overhead_seconds", ".2f"), ("overhead", ".2f"))


def _range(regrets: Mapping[str, Mapping[str, list[float]]], table: str) -> tuple[float, float]:
    means = [fmean(of[table]) for of in regrets.values()]
    return min(means), max(means)


def training_budget_curves() -> Figure:
    """Return the figure of the median regret of every method against the cost."""
    plots = [
        _curves(table, limit)
        for table in TABLES
        for limit in dict.fromkeys(row["max_params"] for row in _rows_of_ours(table))
    ]
    return Figure("training-budgets", tuple(plots), columns=2)


def _curves(table: str, limit: str) -> Plot:
    rows = [
        row
        for row in read_table(RESULTS / f"training-budgets-{table}.csv")
        if row["max_params"] == limit
    ]
    series = []
    for method, (label, look) in _LINES.items():
        dots = tuple(
            Dot(float(row["cost"]), float(row["median"])) for row in rows if row["method"] == method
        )
        if dots:
            series.append(Series(label, "line", look, dots))
    title = _title(table, limit)
    top = max(0.1, *(dot.y for one in series[:2] for dot in one.dots))
    return Plot(
        title.replace(" ", "-"),
        title,
        "",
        Axis("cost in full trainings"),
        Axis("median regret, points", limits=(0, 1.15 * top)),
        tuple(series),
    )


def _regret(row: Mapping[str, str]) -> str:
    return f"{number(row['median'])} [{number(row['low'])}, {number(row['high'])}]"
