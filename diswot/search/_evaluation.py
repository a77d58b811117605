"""One architecture in, one candidate out."""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import torch
from torch import Tensor, nn

from diswot.activations import (
    ActivationReader,
    Activations,
    Watch,
    scoring_mode,
    trial_pass,
)
from diswot.costs import Costs, measure_costs
from diswot.data import ImageData, ImageSpec
from diswot.devices import torch_threads
from diswot.errors import DiswotError, OptionError, SpaceError, TeacherError, first_line
from diswot.probe import Probe
from diswot.scorers import CostTerm, Scorer
from diswot.search._candidate import Candidate
from diswot.seeding import generator_for, seed_for, torch_seed
from diswot.students import build_student
from diswot.teachers import Teacher
from search_spaces import Architecture, SearchSpace

TeacherState: TypeAlias = Literal["random", "trained"]
"""The weights that a teacher is compared with: random ones as in the papers, or its own."""
TEACHER_STATES: tuple[str, ...] = get_args(TeacherState)
CHECKED = 5
"""Architectures that are looked at before a space is refused."""


@dataclass(frozen=True)
class Repeat:
    """One batch, the same for every candidate, and what the teacher shows of it."""

    images: Tensor
    labels: Tensor
    teacher: Activations


def prepare_repeats(
    data: ImageData,
    teacher: Teacher,
    *,
    state: TeacherState = "random",
    repeats: int = 3,
    batch_size: int = 64,
    seed: int = 0,
    device: str = "cpu",
    threads: int = 1,
    watches: Sequence[Watch[Any]] = (),
) -> list[Repeat]:
    """Draw the batches and show them to the teacher, once for the whole run.

    At random initialisation every repeat has its own teacher, and batch
    normalisation uses the batch; a trained teacher is read in evaluation mode.

    Raises:
        OptionError: the batch is larger than the training split.
        TeacherError: the teacher has no trained weights, and they are asked for.
        NetworkError: the teacher does not fit the data.
    """
    if batch_size > len(data.train):
        raise OptionError(
            f"Expected a batch of at most the {len(data.train)} training images of {data.name}, "
            f"but got {batch_size}: choose a smaller --batch-size"
        )
    prepared = []
    for repeat in range(repeats):
        drawn = generator_for(seed, "batch", repeat).choice(
            len(data.train), batch_size, replace=False
        )
        batch = data.train.take(torch.from_numpy(drawn))
        images, labels = data.normalise(batch.images.to(device)), batch.labels.to(device)
        network = _in_state(teacher, state, seed_for(seed, "teacher", repeat)).to(device)
        who = f"teacher {teacher.name}"
        trial_pass(network, images[:2], num_classes=data.num_classes, who=who)
        with torch_threads(threads):
            shown = _shown(network, images, labels, state, watches)
        prepared.append(Repeat(images, labels, shown))
    return prepared


def _in_state(teacher: Teacher, state: TeacherState, seed: int) -> nn.Module:
    if state == "random":
        return teacher.initialised(seed)
    if teacher.weights is None:
        raise TeacherError(
            f"teacher {teacher.name} has no trained weights: give them with --teacher-weights"
        )
    return teacher.weights()


@torch.inference_mode()
def _shown(
    network: nn.Module,
    images: Tensor,
    labels: Tensor,
    state: TeacherState,
    watches: Sequence[Watch[Any]],
) -> Activations:
    if state == "trained":
        with ActivationReader(network.eval(), watches=watches) as read:
            return read(images, labels)
    with scoring_mode(network), ActivationReader(network, watches=watches) as read:
        return read(images, labels)


def check_space(space: SearchSpace, images: ImageSpec, rng: np.random.Generator) -> None:
    """Make sure that a space has networks that can be scored, on the meta device.

    Some may be faulty: the space is refused if none of a few drawn at random will do.

    Raises:
        SpaceError: its architectures cannot be drawn or built.
        NetworkError: its networks cannot be scored for these images.
    """
    errors: list[DiswotError] = []
    for _ in range(CHECKED):
        try:
            arch = space.sample(rng)
        except Exception as error:
            raise SpaceError(
                f"sampling the space {type(space).__name__} raised {type(error).__name__}: "
                f"{first_line(error)}; mend the space"
            ) from error
        try:
            check_architecture(space, arch, images)
        except DiswotError as error:
            errors.append(error)
        else:
            return
    raise errors[0]


def check_architecture(space: SearchSpace, arch: Architecture, images: ImageSpec) -> None:
    """Make sure that the network of `arch` can be scored and trained, on the meta device.

    Raises:
        SpaceError: it cannot be built.
        NetworkError: it cannot take the images, has the wrong number of classes, or has
            no linear classifier or no feature map.
    """
    who = f"architecture {space.to_string(arch)}"
    with torch.device("meta"):
        batch = torch.empty(2, *images.shape)
        try:
            network = space.build(arch, images.num_classes)
        except Exception as error:
            raise SpaceError(
                f"{who}: build raised {type(error).__name__}: {first_line(error)}; mend the space"
            ) from error
    if not isinstance(network, nn.Module):
        raise SpaceError(
            f"{who}: expected build to return a torch.nn.Module, "
            f"but got {type(network).__name__}; mend the space"
        )
    trial_pass(network, batch, num_classes=images.num_classes, who=who)


@dataclass(frozen=True)
class Outcome:
    """What came of the evaluation of one architecture.

    Attributes:
        terms: what each term of the scorer gave in each repeat; empty if it failed.
        failure: why it failed, if so.
        seconds: how long it took.
        worker: which process it took place in.
    """

    terms: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    failure: str | None = None
    seconds: float = 0.0
    worker: str = ""


class Evaluator:
    """Measures what architectures of one space cost, and scores them.

    Args:
        space: the search space.
        scorer: what is measured.
        repeats: batches, and what the teacher shows of them.
        images: what the networks take.
        seed: of the students' initialisations.
        device: where to compute.
        threads: of torch, with which each score is computed.
        latency: tells milliseconds of an architecture, where they are asked for.
        memory: whether peak activation memory is asked for.
    """

    def __init__(
        self,
        space: SearchSpace,
        scorer: Scorer,
        repeats: Sequence[Repeat],
        images: ImageSpec,
        *,
        seed: int = 0,
        device: str = "cpu",
        threads: int = 1,
        latency: Callable[[Architecture], float] | None = None,
        memory: bool = False,
    ) -> None:
        self.space = space
        self.scorer = scorer
        self.images = images
        self._repeats = repeats
        self._seed = seed
        self.device = device
        self.threads = threads
        self._latency = latency
        self._memory = memory
        self._costs: dict[Architecture, Costs] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Return what workers need: costs are told to them."""
        return vars(self) | {"_costs": {}, "_latency": None}

    def with_scorer(self, scorer: Scorer) -> "Evaluator":
        """Return an evaluator that differs in its scorer alone.

        Args:
            scorer: what is to be measured; the teacher must have been watched for it.
        """
        other = object.__new__(Evaluator)
        vars(other).update(vars(self) | {"scorer": scorer})
        return other

    def with_costs(
        self, *, latency: Callable[[Architecture], float] | None, memory: bool
    ) -> "Evaluator":
        """Return an evaluator that differs in the costs that are asked for alone."""
        other = object.__new__(Evaluator)
        asked_for: dict[str, Any] = {"_latency": latency, "_memory": memory, "_costs": {}}
        vars(other).update(vars(self) | asked_for)
        return other

    @property
    def repeats(self) -> int:
        """How many initialisations and batches there are."""
        return len(self._repeats)

    @property
    def known_costs(self) -> Mapping[Architecture, Costs]:
        """Every architecture that was looked at, and its costs."""
        return self._costs

    def costs(self, arch: Architecture) -> Costs:
        """Count parameters and multiply-adds, once for every architecture.

        Not once for every canonical key: networks that compute the same can differ in
        parameters that have no effect.
        """
        if arch not in self._costs:
            build = partial(self.space.build, arch, self.images.num_classes)
            self._costs[arch] = measure_costs(build, self.images.shape, memory=self._memory)
        return self._costs[arch]

    def timed(self, arch: Architecture) -> Costs:
        """Return the costs with the latency, where that is asked for.

        Raises:
            DiswotError: the latencies do not cover the architecture.
        """
        costs = self.costs(arch)
        if self._latency is not None and costs.latency_ms is None:
            costs = self._costs[arch] = replace(costs, latency_ms=self._latency(arch))
        return costs

    def evaluate(self, arch: Architecture, *, like: Candidate | None = None) -> Candidate:
        """Measure costs and score `arch`; what goes wrong becomes the candidate's failure.

        Args:
            arch: the architecture.
            like: a candidate of the same canonical key, whose terms are taken over.
        """
        started = time.perf_counter()
        try:
            costs = self.timed(arch)
        except DiswotError:
            raise
        except Exception as error:  # noqa: BLE001  (one bad candidate must not end a run)
            seconds = round(time.perf_counter() - started, 4)
            return self.candidate(arch, Costs(0, 0), Outcome(failure=_told(error), seconds=seconds))
        if like is None:
            return self.candidate(arch, costs, self.outcome(arch, costs))
        terms = {**like.terms, **self.cost_terms(costs)} if like.terms else {}
        return self.candidate(arch, costs, Outcome(terms, like.failure))

    def outcome(self, arch: Architecture, costs: Costs) -> Outcome:
        """Score `arch` in every repeat; what goes wrong becomes the failure."""
        started = time.perf_counter()
        terms: Mapping[str, tuple[float, ...]] = {}
        failure = None
        try:
            with torch_threads(self.threads):
                terms = self._terms(arch, costs)
        except Exception as error:  # noqa: BLE001  (one bad candidate must not end a run)
            failure = _told(error)
        return Outcome(terms, failure, round(time.perf_counter() - started, 4))

    def candidate(
        self,
        arch: Architecture,
        costs: Costs,
        outcome: Outcome = Outcome(),
        *,
        violation: float = 0.0,
    ) -> Candidate:
        """Return the candidate of what was measured."""
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
            builder=partial(build_student, self.space, arch, self.images),
        )

    def cost_terms(self, costs: Costs) -> dict[str, tuple[float, ...]]:
        """Return the terms that read nothing but costs, alike in every repeat."""
        read = {n: t for n, t in self.scorer.terms.items() if isinstance(t, CostTerm)}
        return {name: (float(term.read(costs)),) * self.repeats for name, term in read.items()}

    def _terms(self, arch: Architecture, costs: Costs) -> Mapping[str, tuple[float, ...]]:
        values = []
        for number in range(self.repeats):
            with self.probe(arch, number, costs) as (student, teacher):
                values.append(self.scorer(student, teacher))
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
        """Build the network of `arch` for repeat `number`, and show it with the teacher."""
        repeat = self._repeats[number]
        seed = seed_for(self._seed, self.space.canonical_key(arch), number)
        differentiable = self.scorer.card.needs_gradients
        with torch.inference_mode(not differentiable), torch_seed(seed):
            network = self.space.build(self.space.effective(arch), self.images.num_classes)
            with scoring_mode(network.to(self.device)):
                student = Probe(
                    network,
                    repeat.images,
                    repeat.labels,
                    costs=costs,
                    seed=seed,
                    watches=self.scorer.watches,
                    differentiable=differentiable,
                )
                yield student, repeat.teacher


def _cause(teacher: Activations) -> str:
    """Say what of the teacher leaves scores undefined, if it does."""
    maps = teacher.feature_map
    if not maps.isfinite().all():
        return " (the teacher's last feature map is not finite)"
    return "" if maps.any() else " (the teacher's last feature map is zero everywhere)"


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {first_line(error)}"
