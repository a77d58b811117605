"""Rounds per minute of the engines of federated distillation, and where the time goes.

`.venv-federated/bin/python -m benchmarks.federated_speed` writes `results/federated-speed.csv`. It
needs the environment of `make test-federated`.
"""

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from benchmarks.federated import clients_in, federation_of_task
from benchmarks.federations import FederatedSettings, run_rounds
from benchmarks.results_folder import keep
from diswot.methods.federated import Client, Federation, Round, simulate

TASK = (0.5, 110, "knfu", 0)
"""α, examples per client, fusion and seed."""


@dataclass(frozen=True)
class SpeedRow:
    """Speed of one engine.

    Attributes:
        engine: `in process` or `Flower simulation`.
        rounds: number of rounds.
        start: seconds that are not spent in rounds: start and end of processes.
        per_minute: rounds per minute after the first round.
        train: mean seconds of local training in a round, from the second round.
        fuse: mean seconds of fusion.
        tune: mean seconds of fine-tuning and evaluation.
    """

    engine: str
    rounds: int
    start: float
    per_minute: float
    train: float
    fuse: float
    tune: float


def _flower(found: Federation, clients: Sequence[Client]) -> list[Round]:
    return simulate(found.plan(clients), clients, found.assignment.folder, found.folder)


ENGINES: Mapping[str, Callable[[Federation, Sequence[Client]], list[Round]]] = {
    "in process": run_rounds,
    "Flower simulation": _flower,
}


def _row(settings: FederatedSettings, name: str) -> SpeedRow:
    with tempfile.TemporaryDirectory() as folder:
        found = federation_of_task(settings, TASK, Path(folder))
        clients = clients_in(found, TASK[2])
        began = time.perf_counter()
        rounds = ENGINES[name](found, clients)
        whole = time.perf_counter() - began
    inside = sum(sum(item.seconds.values()) for item in rounds)
    later = rounds[1:]
    mean = {
        phase: sum(item.seconds[phase] for item in later) / len(later)
        for phase in ("train", "fuse", "tune")
    }
    return SpeedRow(name, len(rounds), whole - inside, 60 / sum(mean.values()), **mean)


@click.command()
def main() -> None:
    """Measure both engines and write the table."""
    settings, started = FederatedSettings(), datetime.now(UTC)
    rows = [_row(settings, name) for name in ENGINES]
    notes = {"task": TASK, "note": "measured while other processes used the machine"}
    keep("federated-speed", rows, {**asdict(settings), **notes}, started)


if __name__ == "__main__":
    main()
