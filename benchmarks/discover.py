"""Evolve scores on five ground truths and rank the sixth: `python -m benchmarks.discover`.

The layers were measured by `python -m benchmarks.lab.filled`; a row of the table is one evolution,
or a baseline on the same networks.
"""

from dataclasses import asdict
from datetime import UTC, datetime

import click
import numpy as np

from benchmarks.lab.filled_forms import LEFT_OUT
from benchmarks.results_folder import RESULTS, keep
from diswot.bench.discovery import EvolutionSettings, LayerTable, leave_one_out
from diswot.cli import displayed_progress
from diswot.csv_table import read_csv

COLUMNS = {"q": "read", "r": "written", "t": "taps", "P": "positions", "c": "channels"}
"""Quantity in formulas → column of the measurements."""


def table_of(name: str) -> LayerTable:
    """Read the measurements of a ground truth.

    Raises:
        DataError: there are none.
    """
    table = read_csv(RESULTS / f"filled-{name}.csv")
    cells = {symbol: table.column(column) for symbol, column in COLUMNS.items()}
    networks = [
        {symbol: np.array(column[row].split(), float) for symbol, column in cells.items()}
        for row in range(len(table.rows))
    ]
    accuracies, params, macs = (table.numbers(each) for each in ("accuracy", "params", "macs"))
    return LayerTable(name, networks, accuracies, params, macs)


@click.command()
@click.option("--seeds", default=3, show_default=True, help="Evolutions for each ground truth.")
def main(seeds: int) -> None:
    """Write benchmarks/results/discovered.csv."""
    started, settings = datetime.now(UTC), EvolutionSettings()
    tables = [table_of(name) for name in LEFT_OUT]
    with displayed_progress() as progress:
        rows = leave_one_out(tables, settings, seeds=seeds, progress=progress)
    keep("discovered", rows, {**asdict(settings), "seeds": seeds}, started)


if __name__ == "__main__":
    main()
