"""Federated distillation: rounds, fusion rules, faults of clients, and what is sent."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from diswot.errors import DataError, OptionError, RunError, RunFolderError
from diswot.methods.federated import (
    Client,
    ClientStore,
    Federation,
    LocalEngine,
    Replies,
    Request,
    Round,
    Server,
    Sharing,
    class_distributions,
    fused,
    fusion_weights,
    knfu_weights,
    local_engine,
    suspicions,
)
from tests.dask_cluster import ONE_THREAD, scheduler, workers
from tests.methods.federated import CLASSES, Misbehaving, clients_of, federation, small_data

FAULTS = {
    "raises": "the disk of the hospital is full",
    "shape": "sent soft labels of shape (24, 3), not (24, 4)",
    "nan": "sent soft labels that are not finite",
}
SUSPECT = {
    "constant": "gives every public example the same soft labels",
    "random": "agrees with no other client more than chance",
    "flipped": "agrees with no other client more than chance",
}


def soft_labels(clients: int = 4, samples: int = 30, seed: int = 0) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.full(CLASSES, 0.3), (clients, samples)).astype(np.float32)


def rounds_of(
    found: Federation,
    clients: Mapping[str, Client] | None = None,
    *,
    workers: int = 1,
    cluster: str | None = None,
) -> list[Round]:
    clients = clients or clients_of(found)
    folder = found.assignment.folder
    with local_engine(clients, folder / "clients", workers=workers, cluster=cluster) as engine:
        return Server(found.plan(list(clients.values())), engine, folder).run()


def states_of(found: Federation) -> dict[str, bytes | None]:
    return {owner.name: ClientStore(found.folder(owner.name)).last for owner in found.owners}


def measures_of(found: Federation, name: str) -> list[float]:
    measures = ClientStore(found.folder(name)).measures()
    return [measures[number]["global"] for number in sorted(measures)]


def test_weights_are_the_equations_of_the_estimate() -> None:
    knowledge = soft_labels()
    p = class_distributions(knowledge)
    expected = np.zeros((4, 4))
    for n in range(4):
        for m in range(4):
            divergence = sum(p[n, c] * np.log(p[n, c] / p[m, c]) for c in range(CLASSES))
            expected[n, m] = np.exp(-10 * divergence)
        expected[n] /= expected[n].sum()
    assert np.allclose(knfu_weights(p, beta=10), expected, atol=1e-12)
    soft = fused(expected, knowledge)
    assert np.allclose(soft[0, 5], sum(expected[0, m] * knowledge[m, 5] for m in range(4)))
    assert np.allclose(soft.sum(2), 1, atol=1e-6)


@given(st.integers(0, 2**31), st.integers(2, 6))
def test_beta_zero_is_the_mean_and_large_beta_local(seed: int, clients: int) -> None:
    knowledge = soft_labels(clients, seed=seed)
    mean = fusion_weights("mean", knowledge)
    local = fusion_weights("local", knowledge)
    assert np.abs(fusion_weights("knfu", knowledge, beta=0) - mean).max() <= 1e-6
    for beta in (1e12, float("inf")):
        assert np.abs(fusion_weights("knfu", knowledge, beta=beta) - local).max() <= 1e-6


def test_only_the_nearest_neighbors_have_weight() -> None:
    weights = fusion_weights("knfu", soft_labels(), beta=1, neighbors=2)
    assert ((weights > 0).sum(1) == 2).all()
    assert (np.diag(weights) > 0).all()
    assert np.allclose(fusion_weights("knfu", soft_labels(), neighbors=1), np.eye(4))


def test_weights_do_not_depend_on_the_order_of_clients() -> None:
    knowledge, order = soft_labels(), [2, 0, 3, 1]
    weights = fusion_weights("knfu", knowledge)
    assert np.allclose(fusion_weights("knfu", knowledge[order]), weights[np.ix_(order, order)])


def test_clients_learn_and_the_journal_has_every_round(tmp_path: Path) -> None:
    found = federation(tmp_path, rounds=6, local_epochs=3)
    rounds = rounds_of(found)
    assert [item.number for item in rounds] == [1, 2, 3, 4, 5, 6]
    assert not any(item.problems for item in rounds)
    for owner in found.owners:
        measures = measures_of(found, owner.name)
        assert measures[-1] > 0.6 > 1 / CLASSES


def test_beta_limits_give_the_same_students_as_the_rules(tmp_path: Path) -> None:
    states = {}
    settings: dict[str, dict[str, Any]] = {
        "mean": {"fusion": "mean"},
        "zero": {"beta": 0.0},
        "local": {"fusion": "local"},
        "large": {"beta": 1e300},
    }
    for name, own in settings.items():
        found = federation(tmp_path / name, **own)
        rounds_of(found)
        states[name] = states_of(found)
    assert states["zero"] == states["mean"]
    assert states["large"] == states["local"]
    assert states["mean"] != states["local"]


@pytest.mark.slow
@pytest.mark.processes
def test_workers_give_the_same_students_as_one_process(tmp_path: Path) -> None:
    alone, workers = federation(tmp_path / "one"), federation(tmp_path / "two")
    one, two = rounds_of(alone), rounds_of(workers, workers=2)
    assert [item.weights for item in one] == [item.weights for item in two]
    assert states_of(alone) == states_of(workers)


@pytest.mark.slow
@pytest.mark.processes
def test_a_dask_cluster_gives_the_same_students(tmp_path: Path) -> None:
    pytest.importorskip("distributed", reason="the extra dask is not installed")
    alone, remote = federation(tmp_path / "one"), federation(tmp_path / "two")
    one = rounds_of(alone)
    with scheduler(tmp_path) as address, workers(address, 2, *ONE_THREAD):
        two = rounds_of(remote, cluster=address)
    assert [item.weights for item in one] == [item.weights for item in two]
    assert states_of(alone) == states_of(remote)


def test_fedavg_averages_weights_by_numbers_of_examples(tmp_path: Path) -> None:
    found = federation(tmp_path, fusion="fedavg", rounds=1)
    (record,) = rounds_of(found)
    assert len(set(states_of(found).values())) == 1
    assert all(row == pytest.approx([1 / 3] * 3) for row in record.weights)
    assert record.distributions == ()
    parameters = sum(p.numel() for p in clients_of(found)["client-1"].build().parameters())
    assert set(record.sent.values()) == {4 * parameters}


class Watching(LocalEngine):
    """An engine that keeps all messages."""

    def __init__(self, engine: LocalEngine) -> None:
        vars(self).update(vars(engine))
        self.requests: list[Request] = []
        self.replies: list[Replies] = []

    def ask(self, requests: Mapping[str, Request], *, timeout: float | None) -> Replies:
        self.requests += requests.values()
        self.replies.append(super().ask(requests, timeout=timeout))
        return self.replies[-1]


@pytest.mark.parametrize("own", [{}, {"share_top": 2, "share_bits": 8}])
def test_only_soft_labels_for_the_public_set_are_sent(
    tmp_path: Path, own: Mapping[str, Any]
) -> None:
    found = federation(tmp_path, **own)
    clients = clients_of(found)
    with local_engine(clients, tmp_path / "clients") as engine:
        watching = Watching(engine)
        rounds = Server(found.plan(list(clients.values())), watching, tmp_path).run()
    whole = 24 * CLASSES * 4
    size = found.sharing.bytes_of(24, CLASSES)
    for number, answers in enumerate(watching.replies):
        for reply in answers.received.values():
            known = {"client", "number", "arrays", "samples"}
            assert vars(reply).keys() == known
            assert reply.samples == 0
            if number % 2 == 0:
                soft = found.sharing.unpacked(reply.arrays, (24, CLASSES))
                assert np.allclose(soft.sum(1), 1, atol=1e-5)
                assert reply.bytes == size <= whole
            else:
                assert not reply.arrays
    for request in watching.requests:
        assert vars(request).keys() == {"phase", "number", "arrays"}
        if request.phase == "train":
            assert not request.arrays
        else:
            (soft,) = request.arrays.values()
            assert soft.shape == (24, CLASSES)
            assert soft.nbytes == whole
    assert [sum(item.sent.values()) for item in rounds] == [3 * size] * 2


@pytest.mark.parametrize("way", FAULTS)
def test_a_round_continues_without_a_faulty_client(tmp_path: Path, way: str) -> None:
    found = federation(tmp_path)
    clients = clients_of(found)
    clients["client-2"] = Misbehaving.of(clients["client-2"], way)
    first, second = rounds_of(found, clients)
    assert first.clients == ("client-1", "client-3")
    assert FAULTS[way] in first.problems["client-2"]
    assert second.clients == ("client-1", "client-2", "client-3")
    assert not second.problems


@pytest.mark.slow
@pytest.mark.processes
def test_a_round_continues_without_lost_clients(tmp_path: Path) -> None:
    found = federation(tmp_path, clients=4, rounds=1, round_timeout=60.0)
    clients = clients_of(found)
    clients["client-1"] = Misbehaving.of(clients["client-1"], "killed")
    clients["client-4"] = Misbehaving.of(clients["client-4"], "late")
    (record,) = rounds_of(found, clients, workers=2)
    assert record.clients == ("client-2", "client-3")
    assert "its worker process died" in record.problems["client-1"]
    assert record.problems["client-4"] == "did not answer within 60 s"


@pytest.mark.parametrize("way", SUSPECT)
def test_a_poisoned_answer_is_named_with_its_weight(tmp_path: Path, way: str) -> None:
    found = federation(tmp_path, rounds=1, local_epochs=12)
    clients = clients_of(found)
    clients["client-2"] = Misbehaving.of(clients["client-2"], way)
    messages: list[str] = []
    with local_engine(clients, tmp_path / "clients") as engine:
        plan = found.plan(list(clients.values()))
        server = Server(plan, engine, tmp_path, progress=lambda step: messages.append(step.note))
        (record,) = server.run()
    assert record.clients == ("client-1", "client-2", "client-3")
    assert list(record.suspects) == ["client-2"]
    assert SUSPECT[way] in record.suspects["client-2"]
    weight = record.weight_of("client-2")
    assert weight is not None
    assert any("client-2" in text and f"{weight:.3f}" in text for text in messages)


def test_equal_honest_answers_are_not_suspect() -> None:
    assert not suspicions(np.repeat(soft_labels(1), 3, axis=0))


def test_no_usable_answer_is_an_error(tmp_path: Path) -> None:
    found = federation(tmp_path)
    clients = {n: Misbehaving.of(c, "nan") for n, c in clients_of(found).items()}
    with pytest.raises(RunError, match="no client gave a usable answer in round 1: client-1 sent"):
        rounds_of(found, clients)


def test_a_killed_server_resumes_at_the_round(tmp_path: Path) -> None:
    whole, stopped = federation(tmp_path / "whole"), federation(tmp_path / "stopped")
    rounds_of(whole)
    clients = clients_of(stopped)

    class Killed(LocalEngine):
        def ask(self, requests: Mapping[str, Request], *, timeout: float | None) -> Replies:
            if all(r.number == 2 and r.phase == "tune" for r in requests.values()):
                super().ask(dict(list(requests.items())[:1]), timeout=timeout)
                raise KeyboardInterrupt
            return super().ask(requests, timeout=timeout)

    folder = stopped.assignment.folder
    with local_engine(clients, folder / "clients") as engine:
        killed = Killed.__new__(Killed)
        vars(killed).update(vars(engine))
        server = Server(stopped.plan(list(clients.values())), killed, folder)
        with pytest.raises(KeyboardInterrupt):
            server.run()
    with (folder / "rounds.jsonl").open("a") as journal:
        journal.write('{"number": 2, "cli')  # half a line
    assert len(rounds_of(stopped)) == 2
    assert states_of(stopped) == states_of(whole)
    for owner in whole.owners:
        assert measures_of(stopped, owner.name) == measures_of(whole, owner.name)


def test_a_damaged_journal_of_rounds_is_refused(tmp_path: Path) -> None:
    found = federation(tmp_path)
    rounds_of(found)
    path = tmp_path / "rounds.jsonl"
    path.write_text(path.read_text().replace('"number": 1', '"number": 7'))
    with pytest.raises(RunFolderError, match="line 1 of"):
        rounds_of(found)


@pytest.mark.parametrize(
    "sharing", [Sharing(), Sharing(top=2), Sharing(bits=8), Sharing(top=1, bits=16)]
)
def test_packed_knowledge_is_restored(sharing: Sharing) -> None:
    (soft,) = soft_labels(1)
    arrays = sharing.packed(soft)
    restored = sharing.unpacked(arrays, soft.shape)
    assert sum(array.nbytes for array in arrays.values()) == sharing.bytes_of(*soft.shape)
    assert np.allclose(restored.sum(1), 1, atol=1e-5)
    assert (restored.argmax(1) == soft.argmax(1)).mean() > 0.9
    if sharing == Sharing():
        assert np.allclose(restored, soft, atol=1e-6)


def test_noise_has_the_standard_deviation_that_was_asked() -> None:
    soft = np.full((20_000, 2), 0.5, dtype=np.float32)
    sent = Sharing(noise=0.1).packed(soft, 0, 1)["probabilities"]
    assert sent.std() == pytest.approx(0.1, rel=0.02)
    assert np.array_equal(sent, Sharing(noise=0.1).packed(soft, 0, 1)["probabilities"])
    assert not np.array_equal(sent, Sharing(noise=0.1).packed(soft, 0, 2)["probabilities"])


def test_neighbors_and_shared_classes_are_limited(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="neighbors to be at most the 3 clients, but got 4"):
        federation(tmp_path, neighbors=4)
    with pytest.raises(OptionError, match="share top to be at most the 4 classes, but got 5"):
        federation(tmp_path, share_top=5)
    with pytest.raises(OptionError, match="share bits to be 8, 16 or 32, but got 12"):
        federation(tmp_path, share_bits=12)


def test_a_public_set_with_private_examples_is_refused(tmp_path: Path) -> None:
    data = small_data()
    with pytest.raises(DataError, match=r"the public set holds \d+ private examples of client-1"):
        federation(tmp_path, data=replace(data, val=data.train))
