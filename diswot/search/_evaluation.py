"""Evaluate architectures: measure their costs and score their networks."""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import torch

from diswot.devices import torch_threads
from diswot.errors import DiswotError, NetworkError, first_line
from diswot.latency import UnusableNetworkError
from diswot.networks import Activations, scoring_mode
from diswot.networks.costs import Costs, measure_costs
from diswot.networks.probe import Probe
from diswot.scorers import CostTerm, Scorer
from diswot.search._candidate import Candidate
from diswot.search._repeats import Repeat
from diswot.seeding import seed_for, torch_seed
from diswot.students import Fresh, StudentSource
from search_spaces import Architecture, SearchSpace, Signature


@dataclass(frozen=True)
class Outcome:
    """Result of evaluating one architecture.

    Attributes:
        terms: values of each term of the scorer, one per repeat; empty if it failed.
        failure: error message if it failed, else `None`.
        seconds: wall-clock time of the evaluation.
        worker: process that evaluated it, as `host/pid`.
    """

    terms: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    failure: str | None = None
    seconds: float = 0.0
    worker: str = ""


class Evaluator:
    """Measures the costs of architectures of one space, and scores them.

    Args:
        space: the search space.
        scorer: the score to compute.
        repeats: batches with the teacher's activations, one per repeat.
        signature: shapes of the networks' inputs and outputs.
        seed: base seed of the students' initializations.
        device: torch device on which scores are computed.
        threads: torch threads per score; fixed, so that scores are reproducible.
        latency: returns an architecture's latency in milliseconds; `None` if not needed.
        memory: whether to measure the peak memory of activations.
        source: makes the networks; by default they are randomly initialized.
    """

    def __init__(
        self,
        space: SearchSpace,
        scorer: Scorer,
        repeats: Sequence[Repeat],
        signature: Signature,
        *,
        seed: int = 0,
        device: str = "cpu",
        threads: int = 1,
        latency: Callable[[Architecture], float] | None = None,
        memory: bool = False,
        source: StudentSource | None = None,
    ) -> None:
        self.space = space
        self.source = source or Fresh(space, signature)
        self.scorer = scorer
        self.signature = signature
        self._repeats = repeats
        self._seed = seed
        self.device = device
        self.threads = threads
        self._latency = latency
        self._memory = memory
        self._costs: dict[Architecture, Costs] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Return the state sent to workers: without costs, which come with each task."""
        return vars(self) | {"_costs": {}, "_latency": None}

    def with_scorer(self, scorer: Scorer) -> "Evaluator":
        """Return a copy with another scorer.

        Args:
            scorer: the new scorer; whatever it watches in the teacher must have been recorded
                when the repeats were prepared.
        """
        other = object.__new__(Evaluator)
        vars(other).update(vars(self) | {"scorer": scorer})
        return other

    def with_costs(
        self, *, latency: Callable[[Architecture], float] | None, memory: bool
    ) -> "Evaluator":
        """Return a copy that measures other costs.

        Args:
            latency: returns an architecture's latency in milliseconds; `None` for no latency.
            memory: whether to measure the peak memory of activations.
        """
        other = object.__new__(Evaluator)
        asked_for: dict[str, Any] = {"_latency": latency, "_memory": memory, "_costs": {}}
        vars(other).update(vars(self) | asked_for)
        return other

    @property
    def repeats(self) -> int:
        """Number of repeats: initializations and batches that a score averages over."""
        return len(self._repeats)

    @property
    def known_costs(self) -> Mapping[Architecture, Costs]:
        """Costs of every architecture measured so far, whether or not it was scored."""
        return self._costs

    def costs(self, arch: Architecture) -> Costs:
        """Return parameters and MACs (and memory), measured once per architecture.

        The cache is by architecture, not by canonical key: networks that compute the same
        function can differ in parameters that have no effect.
        """
        if arch not in self._costs:
            build = partial(self.source.skeleton, arch)
            self._costs[arch] = measure_costs(build, self.signature, memory=self._memory)
        return self._costs[arch]

    def timed(self, arch: Architecture) -> Costs:
        """Return the costs including the latency, if this evaluator has a latency source.

        Raises:
            UnusableNetworkError: the network cannot be built or run for the measurement.
            DiswotError: the latency table does not contain the architecture.
        """
        costs = self.costs(arch)
        if self._latency is not None and costs.latency_ms is None:
            costs = self._costs[arch] = replace(costs, latency_ms=self._latency(arch))
        return costs

    def evaluate(self, arch: Architecture, *, like: Candidate | None = None) -> Candidate:
        """Measure costs and score `arch`; an exception becomes the candidate's `failure`.

        Args:
            arch: the architecture.
            like: a scored candidate with the same canonical key, whose terms are reused.
        """
        started = time.perf_counter()
        try:
            costs = self.timed(arch)
        except DiswotError as error:
            if not isinstance(error, UnusableNetworkError):
                raise
            return self.candidate(arch, self.costs(arch), Outcome(failure=first_line(error)))
        except Exception as error:  # noqa: BLE001  (one bad candidate must not end a run)
            seconds = round(time.perf_counter() - started, 4)
            return self.candidate(
                arch, Costs(0, 0), Outcome(failure=_failure(error), seconds=seconds)
            )
        if like is None:
            return self.candidate(arch, costs, self.outcome(arch, costs))
        terms = {**like.terms, **self.cost_terms(costs)} if like.terms else {}
        return self.candidate(arch, costs, Outcome(terms, like.failure))

    def outcome(self, arch: Architecture, costs: Costs) -> Outcome:
        """Score `arch` in every repeat; an exception becomes the outcome's `failure`.

        Args:
            arch: the architecture.
            costs: its costs, which some scorers read.
        """
        started = time.perf_counter()
        terms: Mapping[str, tuple[float, ...]] = {}
        failure = None
        try:
            with torch_threads(self.threads):
                terms = self._terms(arch, costs)
        except Exception as error:  # noqa: BLE001  (one bad candidate must not end a run)
            failure = _failure(error)
        return Outcome(terms, failure, round(time.perf_counter() - started, 4))

    def candidate(
        self,
        arch: Architecture,
        costs: Costs,
        outcome: Outcome = Outcome(),
        *,
        violation: float = 0.0,
    ) -> Candidate:
        """Make a candidate of measured values.

        Args:
            arch: the architecture.
            costs: its costs.
            outcome: terms or failure of its evaluation; empty if it was not evaluated.
            violation: how far its costs exceed the budget, see `Budget.violation`.
        """
        return Candidate(
            architecture=arch,
            name=self.space.to_string(arch),
            key=self.space.canonical_key(arch),
            costs=costs,
            terms=outcome.terms,
            seconds=outcome.seconds,
            worker=outcome.worker,
            failure=outcome.failure,
            violation=violation,
            builder=partial(self.source.student, arch),
        )

    def cost_terms(self, costs: Costs) -> dict[str, tuple[float, ...]]:
        """Return the terms that depend only on costs: the same value in every repeat."""
        read = {n: t for n, t in self.scorer.terms.items() if isinstance(t, CostTerm)}
        return {name: (float(term.read(costs)),) * self.repeats for name, term in read.items()}

    def _terms(self, arch: Architecture, costs: Costs) -> Mapping[str, tuple[float, ...]]:
        values = []
        for number in range(self.repeats):
            with self.probe(arch, number, costs) as (student, teacher):
                values.append(self.scorer(student, teacher))
        # A score that is not finite is a failure; say so, and why if it is due to the teacher.
        for number, repeat in enumerate(values):
            for name, value in repeat.items():
                if not math.isfinite(value):
                    cause = _cause(self._repeats[number].teacher)
                    raise FloatingPointError(f"{name} is {value} in repeat {number}{cause}")
        measured = {name: tuple(repeat[name] for repeat in values) for name in values[0]}
        return {**measured, **self.cost_terms(costs)}

    @contextmanager
    def probe(
        self, arch: Architecture, number: int, costs: Costs
    ) -> Iterator[tuple[Probe, Activations]]:
        """Yield the network of `arch`, set up for scoring, and the teacher's activations.

        Args:
            arch: the architecture.
            number: index of the repeat, which determines batch and initialization.
            costs: costs of the architecture, which some scorers read.
        """
        repeat = self._repeats[number]
        # Derived from the network and the repeat, so that the order of evaluation is irrelevant.
        seed = seed_for(self._seed, self.space.canonical_key(arch), number)
        differentiable = self.scorer.card.needs_gradients
        with torch.inference_mode(not differentiable), torch_seed(seed):
            network = self.source.student(self.space.effective(arch))
            with scoring_mode(network):
                student = Probe(  # which moves the network to the device of the batch
                    network,
                    *repeat.inputs,
                    labels=repeat.labels,
                    costs=costs,
                    seed=seed,
                    watches=self.scorer.watches,
                    differentiable=differentiable,
                    signature=self.signature,
                )
                yield student, repeat.teacher


def _cause(teacher: Activations) -> str:
    """Return why the teacher's feature map makes scores undefined; empty if it does not."""
    try:
        maps = teacher.feature_map
    except NetworkError:
        return ""
    if not maps.isfinite().all():
        return " (the teacher's last feature map is not finite)"
    return "" if maps.any() else " (the teacher's last feature map is zero everywhere)"


def _failure(error: Exception) -> str:
    return f"{type(error).__name__}: {first_line(error)}"
