"""Federations on Flower: its simulation with Ray, and a deployment in processes."""

import os
import socket
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from diswot.errors import MissingExtraError, OptionError, RunError
from diswot.methods.federated._client import Client
from diswot.methods.federated._server import ROUNDS, Plan, Round
from diswot.runs import RecordFile
from diswot.runtimes import installed

PACKAGES = {"flower": ("flwr", "ray"), "deployment": ("flwr",)}
"""Where clients run → packages that are needed."""

QUIET = {
    "FLWR_TELEMETRY_ENABLED": "0",
    "FLWR_DISABLE_UPDATE_CHECK": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DISABLE_IMPORT_WARNING": "1",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
"""Environment in which neither Flower nor Ray sends anything to its makers."""

HOST = "127.0.0.1"


def check_flower(federation: str) -> None:
    """Make sure that Flower is installed.

    Args:
        federation: `flower` or `deployment`.

    Raises:
        MissingExtraError: a package is missing; the message names extra and constraints file.
    """
    for package in PACKAGES[federation]:
        if not installed((package,)):
            raise MissingExtraError(
                package,
                "federated",
                f"--federation {federation}",
                reason="is not installed (use an environment of its own, with "
                "--constraint constraints-federated.txt)",
            )


def check_ports(port: int, clients: int) -> None:
    """Make sure that the ports of a deployment are free.

    Args:
        port: the first one.
        clients: number of clients.

    Raises:
        OptionError: one is in use.
    """
    for number in range(port, port + 1 + clients):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, number))
            except OSError as error:
                raise OptionError(
                    f"port {number} on {HOST} is in use: give the first of "
                    f"{1 + clients} free ones with --port"
                ) from error


@contextmanager
def quiet_environment() -> Iterator[None]:
    """Turn telemetry and update checks of Flower and Ray off inside the block."""
    before = {name: os.environ.get(name) for name in QUIET}
    os.environ.update(QUIET)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def simulate(
    plan: Plan, clients: Sequence[Client], folder: Path, folder_of: Callable[[str], Path]
) -> list[Round]:
    """Run the missing rounds in Flower's simulation with Ray.

    Args:
        plan: clients, rounds and fusion.
        clients: the clients, one for each of Flower's nodes.
        folder: the run folder.
        folder_of: returns the folder of a client.

    Raises:
        RunError: the simulation ended before the last round.
    """
    with quiet_environment():
        apps: Any = import_module("diswot.methods.federated._flower_apps")
        simulation: Any = import_module("flwr.simulation")
        known = {number: (c, folder_of(c.name).absolute()) for number, c in enumerate(clients)}

        def find(context: Any) -> tuple[Client, Path]:
            return known[int(context.node_config["partition-id"])]

        def run(engine: Any, _context: Any) -> None:
            apps.run_server(plan, folder, engine)

        simulation.run_simulation(
            apps.server_app(run),
            apps.client_app(find),
            num_supernodes=len(clients),
            backend_config={
                "init_args": {"include_dashboard": False, "log_to_driver": False},
                "client_resources": {"num_cpus": 1, "num_gpus": 0.0},
            },
        )
    return finished(plan, folder)


def finished(plan: Plan, folder: Path) -> list[Round]:
    """Return the rounds of a run that Flower has ended.

    Raises:
        RunError: rounds are missing.
    """
    rounds = RecordFile(folder / ROUNDS).read(Round.from_json)
    if len(rounds) < plan.rounds:
        raise RunError(
            f"Flower ended after {len(rounds)} of {plan.rounds} rounds: see its log, and resume "
            f"with `diswot resume {folder}`"
        )
    return rounds


def environment_of(folder: Path) -> Mapping[str, str]:
    """Return the environment of Flower's processes: quiet, with its files in a folder."""
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return {**os.environ, **QUIET, "FLWR_HOME": str(folder), "PATH": programs}
