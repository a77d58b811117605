"""One architecture in, one candidate out."""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
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
from diswot.errors import DiswotError, OptionError, SpaceError, TeacherError, first_line
from diswot.probe import Probe
from diswot.scorers import CostTerm, Scorer
from diswot.search._candidate import Candidate
from diswot.seeding import generator_for, seed_for, torch_seed
from diswot.students import build_student
from diswot.teachers import Teacher
from search_spaces import Architecture, SearchSpace

TeacherState: TypeAlias = Literal["random", "trained"]
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


class Evaluator:
    """Measures what architectures of one space cost, and scores them."""

    def __init__(
        self,
        space: SearchSpace,
        scorer: Scorer,
        repeats: Sequence[Repeat],
        images: ImageSpec,
        *,
        seed: int = 0,
        device: str = "cpu",
    ) -> None:
        self.space = space
        self.scorer = scorer
        self._repeats = repeats
        self._images = images
        self._seed = seed
        self._device = device
        self._costs: dict[Architecture, Costs] = {}

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
            build = partial(self.space.build, arch, self._images.num_classes)
            self._costs[arch] = measure_costs(build, self._images.shape)
        return self._costs[arch]

    def evaluate(self, arch: Architecture, *, like: Candidate | None = None) -> Candidate:
        """Score `arch` in every repeat; what goes wrong becomes the candidate's failure.

        Args:
            arch: the architecture.
            like: a candidate of the same canonical key, whose terms are taken over.
        """
        started = time.perf_counter()
        key = self.space.canonical_key(arch)
        costs, failure = Costs(0, 0), None
        terms: Mapping[str, tuple[float, ...]] = {}
        try:
            costs = self.costs(arch)
            known = self._terms(arch, costs) if like is None else like.terms
            terms = {**known, **self.cost_terms(costs)} if known else known
        except Exception as error:  # noqa: BLE001  (one bad candidate must not end a run)
            failure = f"{type(error).__name__}: {first_line(error)}"
        return Candidate(
            architecture=arch,
            name=self.space.to_string(arch),
            key=key,
            costs=costs,
            terms=terms,
            seconds=round(time.perf_counter() - started, 4),
            failure=failure if like is None else like.failure,
            builder=partial(build_student, self.space, arch, self._images),
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
                    raise FloatingPointError(f"{name} is {value} in repeat {number}")
        return {name: tuple(repeat[name] for repeat in values) for name in values[0]}

    @contextmanager
    def probe(
        self, arch: Architecture, number: int, costs: Costs
    ) -> Iterator[tuple[Probe, Activations]]:
        """Build the network of `arch` for repeat `number`, and show it with the teacher."""
        repeat = self._repeats[number]
        seed = seed_for(self._seed, self.space.canonical_key(arch), number)
        differentiable = self.scorer.card.needs_gradients
        with torch.inference_mode(not differentiable), torch_seed(seed):
            network = self.space.build(self.space.effective(arch), self._images.num_classes)
            with scoring_mode(network.to(self._device)):
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
