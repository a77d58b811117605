"""Rounds per minute of the engines of federated distillation, and where the time goes.

`.venv-federated/bin/python -m benchmarks.federated_speed` writes `results/federated-speed.csv`. It
needs the environment of `make test-federated`.
"""

import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from benchmarks.federated import FederatedSettings, clients_in, federation_in
from benchmarks.results_folder import keep
from diswot.methods.federated import Client, Federation, Round, Server, local_engine, simulate

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


def _local(found: Federation, clients: Mapping[str, Client]) -> list[Round]:
    folder = found.assignment.folder
    with local_engine(clients, folder / "clients") as engine:
        return Server(found.plan(list(clients.values())), engine, folder).run()


def _flower(found: Federation, clients: Mapping[str, Client]) -> list[Round]:
    known = list(clients.values())
    return simulate(found.plan(known), known, found.assignment.folder, found.folder)


ENGINES: Mapping[str, Callable[[Federation, Mapping[str, Client]], list[Round]]] = {
    "in process": _local,
    "Flower simulation": _flower,
}


def _row(settings: FederatedSettings, name: str) -> SpeedRow:
    with tempfile.TemporaryDirectory() as folder:
        found = federation_in(settings, TASK, Path(folder))
        clients = {client.name: client for client in clients_in(found, TASK[2])}
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
