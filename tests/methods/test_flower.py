"""Federations on Flower: the simulation with Ray, and a deployment on 127.0.0.1."""

import socket
from pathlib import Path
from typing import Any

import pytest

import diswot
from diswot.errors import MissingExtraError, OptionError
from diswot.methods.federated import ClientStore, Server, local_engine
from diswot.methods.federated._flower import check_ports, simulate
from diswot.pipeline import check_run
from diswot.runtimes import installed
from diswot.search import Budget
from tests.methods.federated import Misbehaving, clients_of, federation

NO_FLOWER = not installed(("flwr", "ray"))
needs_flower = pytest.mark.skipif(NO_FLOWER, reason="needs Flower: make test-federated")

RUN: dict[str, Any] = {
    "method": "federated",
    "clients": 2,
    "rounds": 2,
    "local_samples": 16,
    "population": 2,
    "generations": 0,
    "repeats": 1,
    "batch_size": 8,
    "scorer": "params",
    "progress": False,
}


@pytest.mark.slow
@pytest.mark.processes
@needs_flower
def test_the_simulation_equals_the_local_engine(tmp_path: Path) -> None:
    local, flower = federation(tmp_path / "local"), federation(tmp_path / "flower")
    rounds = []
    for found in (local, flower):
        folder = found.assignment.folder
        folder.mkdir()
        clients = clients_of(found)
        clients["client-2"] = Misbehaving.of(clients["client-2"], "nan")
        plan = found.plan(list(clients.values()))
        if found is flower:
            rounds.append(simulate(plan, list(clients.values()), folder, found.folder))
            continue
        with local_engine(clients, folder / "clients") as engine:
            rounds.append(Server(plan, engine, folder).run())
    for one, other in zip(*rounds, strict=True):
        for name in ("clients", "weights", "distributions", "problems", "sent", "received"):
            assert getattr(one, name) == getattr(other, name)
    for owner in local.owners:
        states = [ClientStore(found.folder(owner.name)).last for found in (local, flower)]
        assert states[0] == states[1] is not None


@pytest.mark.slow
@pytest.mark.processes
@needs_flower
def test_a_deployment_gives_the_same_result(tmp_path: Path) -> None:
    deployed: dict[str, Any] = {"federation": "deployment", "port": free_port()}
    for name, own in {"local": {}, "deployed": deployed}.items():
        options = {**RUN, **own}
        diswot.run(None, "thin", budget=Budget(params=5000), out=tmp_path / name, **options)
    results = [(tmp_path / name / "result.json").read_bytes() for name in ("local", "deployed")]
    assert results[0] == results[1]
    assert (tmp_path / "deployed" / "flower" / "superlink.log").is_file()


def free_port() -> int:
    """Return a port that is free, and probably those after it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_port_in_use_is_refused() -> None:
    with socket.socket() as used:
        used.bind(("127.0.0.1", 0))
        used.listen()
        port = used.getsockname()[1]
        with pytest.raises(OptionError, match=f"port {port} on 127.0.0.1 is in use: give"):
            check_ports(port, 2)


@pytest.mark.skipif(not NO_FLOWER, reason="Flower is installed")
@pytest.mark.parametrize("where", ["flower", "deployment"])
def test_without_flower_the_extra_is_named(where: str) -> None:
    options: dict[str, Any] = {"method": "federated", "federation": where}
    with pytest.raises(MissingExtraError) as refused:
        check_run(None, None, budget=Budget(), out=None, **options)
    assert "--constraint constraints-federated.txt" in str(refused.value)
    assert "pip install 'diswot[federated]'" in str(refused.value)
    assert "\n" not in str(refused.value)
