"""Evolve scores on five ground truths and rank the sixth: `python -m benchmarks.discover`.

The layers were measured by `python -m benchmarks.lab.filled`; a row of the table is one evolution,
or a baseline on the same networks.
"""

from dataclasses import asdict
from datetime import UTC, datetime

import click
import numpy as np

from benchmarks.lab.filled_forms import LEFT_OUT, truth_of
from benchmarks.results_folder import keep
from diswot.bench.discovery import EvolutionSettings, LayerTable, leave_one_out
from diswot.cli import displayed_progress


def table_of(name: str) -> LayerTable:
    """Read the measurements of a ground truth.

    Raises:
        DataError: there are none.
    """
    truth = truth_of(name)
    networks = [
        {"q": n.read, "r": n.written, "t": n.taps, "P": n.positions, "c": n.channels}
        for n in truth.networks
    ]
    params, macs = np.array([(n.params, n.macs) for n in truth.networks]).T
    return LayerTable(name, networks, truth.accuracies, params, macs, truth.scores[:, 0])


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
