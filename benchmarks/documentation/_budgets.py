"""Tables of what a budget of trainings gains."""

from collections.abc import Mapping

from benchmarks.results_folder import RESULTS
from diswot.bench.tables import markdown, number
from diswot.csv_table import read_table

_METHODS = {
    "diswot": "short trainings with the score",
    "top of the score": "top-scoring networks, in full",
    "regularized evolution": "regularized evolution, short trainings",
    "tpe": "optuna's TPE, short trainings",
}
"""The methods that pages compare, and what they are called there."""


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


def _regret(row: Mapping[str, str]) -> str:
    return f"{number(row['median'])} [{number(row['low'])}, {number(row['high'])}]"
