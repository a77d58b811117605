"""The server: rounds of local training, fusion of knowledge, and fine-tuning."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diswot.errors import RunError
from diswot.methods.federated._client import FUSED, Reply, Request, size_of
from diswot.methods.federated._engine import Engine
from diswot.methods.federated._fusion import (
    ALONE,
    class_distributions,
    fused,
    fusion_weights,
    suspicions,
)
from diswot.methods.federated._sharing import Arrays, Sharing
from diswot.progress import Progress, Step, message, silent
from diswot.runs import RecordFile

ROUNDS = "rounds.jsonl"
"""The journal of rounds in a run folder."""

STAGE = "rounds"
"""Name of the stage in progress reports."""


@dataclass(frozen=True)
class Plan:
    """What the server does.

    Attributes:
        clients: names of the clients, in order.
        rounds: number of rounds.
        fusion: a name of `FUSIONS`.
        shape: number of public examples and of classes.
        beta: sharpness of `knfu`.
        neighbors: number of neighbors of `knfu`; `None` for all.
        timeout: seconds for the answers to a request; `None` for no limit.
        sharing: how clients send their knowledge.
        weights: shapes of the student's weights by name, with `fedavg`.
    """

    clients: tuple[str, ...]
    rounds: int
    fusion: str
    shape: tuple[int, int]
    beta: float = 10.0
    neighbors: int | None = None
    timeout: float | None = None
    sharing: Sharing = field(default_factory=Sharing)
    weights: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Round:
    """The record of one round.

    Attributes:
        number: number of the round, from 1.
        clients: clients whose knowledge was fused.
        weights: fusion weights; row n has the weights for client n.
        distributions: estimated class distributions of the clients; empty with `fedavg`.
        problems: clients without a usable answer, and why.
        suspects: clients whose knowledge looks wrong, and why.
        sent: bytes from each client to the server.
        received: bytes from the server to each client.
        seconds: time of training, fusion and fine-tuning.
    """

    number: int
    clients: tuple[str, ...]
    weights: tuple[tuple[float, ...], ...]
    distributions: tuple[tuple[float, ...], ...]
    problems: Mapping[str, str]
    suspects: Mapping[str, str]
    sent: Mapping[str, int]
    received: Mapping[str, int]
    seconds: Mapping[str, float]

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> "Round":
        """Read a record of the journal.

        Raises:
            KeyError: a value is missing.
        """
        values = {name: record[name] for name in cls.__dataclass_fields__}
        for name in ("weights", "distributions"):
            values[name] = tuple(tuple(row) for row in values[name])
        return cls(**values | {"clients": tuple(values["clients"])})

    def weight_of(self, client: str) -> float | None:
        """Return the mean weight that a client has for the other clients; `None` if it has none."""
        if client not in self.clients or len(self.clients) < 2:
            return None
        column = self.clients.index(client)
        rows = [row[column] for index, row in enumerate(self.weights) if index != column]
        return sum(rows) / len(rows)


@dataclass(frozen=True)
class Fusion:
    """The result of the fusion of a round.

    Attributes:
        weights: fusion weights (N, N).
        arrays: what each client receives, in order.
        distributions: class distributions (N, C); empty with `fedavg`.
        suspects: reasons by index of the client.
    """

    weights: NDArray[np.float64]
    arrays: Sequence[Arrays]
    distributions: NDArray[np.float64]
    suspects: Mapping[int, str]


class Server:
    """Runs rounds, and writes each into a journal when it is complete.

    A server that was killed continues with the first round that is not in the journal; the
    clients repeat it from their states before it.

    Args:
        plan: clients, rounds and fusion.
        engine: delivers requests to clients.
        folder: folder of the journal.
        progress: receives every step.
    """

    def __init__(
        self, plan: Plan, engine: Engine, folder: Path, *, progress: Progress = silent
    ) -> None:
        self._plan, self._engine, self._progress = plan, engine, progress
        self._journal = RecordFile(folder / ROUNDS)

    def run(self) -> list[Round]:
        """Run the rounds that are not in the journal yet, and return all of them.

        Raises:
            RunError: no client answered.
            RunFolderError: the journal is damaged.
        """
        rounds = self._journal.read(Round.from_json)
        self._progress(Step(STAGE, len(rounds), self._plan.rounds))
        for number in range(len(rounds) + 1, self._plan.rounds + 1):
            record = self._round(number)
            self._journal.append(asdict(record))
            rounds.append(record)
            self._report(record)
        return rounds

    def _round(self, number: int) -> Round:
        # 1. Local training; 2. local knowledge.
        began = time.perf_counter()
        requests = {name: Request("train", number) for name in self._plan.clients}
        replies = self._engine.ask(requests, timeout=self._plan.timeout)
        trained = time.perf_counter()
        # 3. Fusion of the knowledge of those that answered.
        problems = dict(replies.problems)
        values = self._values(replies.received, number, problems)
        if not values:
            reasons = "; ".join(f"{name} {why}" for name, why in problems.items())
            raise RunError(f"no client gave a usable answer in round {number}: {reasons}")
        fusion = self._fused(values, replies.received)
        requests = {
            name: Request("tune", number, arrays)
            for name, arrays in zip(values, fusion.arrays, strict=True)
        }
        done = time.perf_counter()
        # 4. Fine-tuning on the fused knowledge.
        tuned = self._engine.ask(requests, timeout=self._plan.timeout)
        problems |= {name: f"{why}, in fine-tuning" for name, why in tuned.problems.items()}
        names = tuple(values)
        return Round(
            number,
            names,
            tuple(tuple(map(float, row)) for row in fusion.weights),
            tuple(tuple(map(float, row)) for row in fusion.distributions),
            problems,
            {names[index]: reason for index, reason in fusion.suspects.items()},
            {name: reply.bytes for name, reply in replies.received.items()},
            {name: size_of(request.arrays) for name, request in requests.items()},
            {
                "train": trained - began,
                "fuse": done - trained,
                "tune": time.perf_counter() - done,
            },
        )

    def _values(
        self, replies: Mapping[str, Reply], number: int, problems: dict[str, str]
    ) -> dict[str, Any]:
        """Return the content of usable replies by client; the others are added to `problems`."""
        values: dict[str, Any] = {}
        for name, reply in replies.items():
            try:
                if reply.number != number or reply.client != name:
                    raise ValueError(f"answered for {reply.client}, round {reply.number}")
                if self._plan.fusion == "fedavg":
                    values[name] = self._weights_of(reply)
                else:
                    values[name] = self._plan.sharing.unpacked(reply.arrays, self._plan.shape)
            except ValueError as error:
                problems[name] = str(error)
        return values

    def _weights_of(self, reply: Reply) -> Arrays:
        shapes = {name: array.shape for name, array in reply.arrays.items()}
        if shapes != dict(self._plan.weights):
            raise ValueError("sent weights of another architecture")
        if reply.samples < 1 or not all(np.isfinite(a).all() for a in reply.arrays.values()):
            raise ValueError("sent weights that are not finite, or of no examples")
        return reply.arrays

    def _fused(self, values: Mapping[str, Any], replies: Mapping[str, Reply]) -> Fusion:
        if self._plan.fusion == "fedavg":
            return _averaged(values, [replies[name].samples for name in values])
        knowledge = np.stack(list(values.values()))
        weights = fusion_weights(
            self._plan.fusion, knowledge, beta=self._plan.beta, neighbors=self._plan.neighbors
        )
        soft = fused(weights, knowledge)
        arrays: list[Arrays] = [
            {} if weights[index, index] >= ALONE else {FUSED: soft[index]}
            for index in range(len(soft))
        ]
        found = {suspect.client: suspect.reason for suspect in suspicions(knowledge)}
        return Fusion(weights, arrays, class_distributions(knowledge), found)

    def _report(self, record: Round) -> None:
        for name, why in record.problems.items():
            self._progress(message(STAGE, f"round {record.number}: {name} {why}"))
        for name, why in record.suspects.items():
            weight = record.weight_of(name)
            given = "" if weight is None else f" (mean weight for others {weight:.3f})"
            self._progress(message(STAGE, f"round {record.number}: {name} {why}{given}"))
        self._progress(Step(STAGE, record.number, self._plan.rounds))


def _averaged(values: Mapping[str, Arrays], samples: Sequence[int]) -> Fusion:
    """Return the mean of weights by numbers of examples (McMahan et al., AISTATS 2017)."""
    shares = np.array(samples, dtype=float) / sum(samples)
    mean: Arrays = {}
    for name, first in next(iter(values.values())).items():
        total = sum(
            share * arrays[name].astype(np.float64)
            for share, arrays in zip(shares, values.values(), strict=True)
        )
        mean[name] = np.asarray(total).astype(first.dtype)
    count = len(values)
    return Fusion(np.tile(shares, (count, 1)), [mean] * count, np.zeros((0, 0)), {})
