"""Batches that candidates are scored on, with the teacher's activations for them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import repeat
from typing import Any

import torch
from torch import Tensor, nn

from diswot.devices import torch_threads
from diswot.errors import OptionError, TeacherError
from diswot.networks import ActivationReader, Activations, Watch, scoring_mode
from diswot.options import TeacherState
from diswot.seeding import generator_for, seed_for
from diswot.tasks import Batch, Dataset, SplitName, try_network
from diswot.teachers import Teacher


@dataclass(frozen=True)
class Repeat:
    """One batch, the same for every candidate, and the teacher's activations for it.

    Attributes:
        inputs: input tensors, each with N examples in the first dimension.
        labels: labels with N in the first dimension; `None` for tasks without labels.
        teacher: outputs, feature maps and watched activations of the teacher.
    """

    inputs: tuple[Tensor, ...]
    labels: Tensor | None
    teacher: Activations


def prepare_repeats(
    data: Dataset,
    teacher: Teacher,
    *,
    state: TeacherState = "random",
    repeats: int = 3,
    batch_size: int = 64,
    seed: int = 0,
    device: str = "cpu",
    threads: int = 1,
    watches: Sequence[Watch[Any]] = (),
    split: SplitName = "train",
    needed: bool = True,
) -> list[Repeat]:
    """Draw the batches and run the teacher on them, once for the whole search.

    A random teacher is initialized again in every repeat and uses the batch's statistics in
    batch normalization; a trained teacher runs in evaluation mode.

    Args:
        data: the dataset from which batches are drawn.
        teacher: the teacher.
        state: "random" initialization or "trained" weights.
        repeats: number of batches.
        batch_size: examples per batch.
        seed: seed of batches and initializations.
        device: torch device on which the teacher runs and batches are kept.
        threads: torch threads.
        watches: further activations of the teacher to record.
        split: the split from which examples are drawn, without replacement.
        needed: whether the scorer reads the teacher. If not, the teacher runs on two examples
            only, so that a teacher that does not fit the data is still reported.

    Raises:
        OptionError: the batch is larger than the split.
        TeacherError: the state is "trained", and the teacher has no trained weights.
        NetworkError: the teacher does not fit the data.
    """
    check_batch_size(data, batch_size, split=split)
    size, prepared = data.size(split), []
    for number, network in enumerate(_in_state(teacher, state, repeats, seed)):
        drawn = generator_for(seed, "batch", number).choice(size, batch_size, replace=False)
        batch = data.batch(split, torch.from_numpy(drawn), device=device)
        few = [item[:2] for item in batch.inputs]
        try_network(network.to(device), few, data, who=f"teacher {teacher.name}")
        with torch_threads(threads):
            seen = batch if needed else _start(batch)
            activations = _activations(network, seen, state, watches)
        prepared.append(Repeat(batch.inputs, batch.labels, activations))
    return prepared


def check_batch_size(data: Dataset, batch_size: int, *, split: SplitName = "train") -> None:
    """Check that a split has enough examples for a batch, which is drawn without replacement.

    Args:
        data: the dataset.
        batch_size: examples per batch.
        split: the split from which they are drawn.

    Raises:
        OptionError: the split has fewer examples.
    """
    size, called = data.size(split), "training" if split == "train" else split
    if batch_size > size:
        raise OptionError(
            f"Expected a batch of at most the {size} {called} {data.task.noun}s of {data.name}, "
            f"but got {batch_size}: choose a smaller --batch-size"
        )


def _start(batch: Batch) -> Batch:
    labels = None if batch.labels is None else batch.labels[:2]
    return replace(batch, inputs=tuple(item[:2] for item in batch.inputs), labels=labels)


def _in_state(
    teacher: Teacher, state: TeacherState, repeats: int, seed: int
) -> Iterator[nn.Module]:
    """Yield one teacher per repeat: newly initialized ones, or always the trained one."""
    if state == "random":
        for number in range(repeats):
            yield teacher.initialized(seed_for(seed, "teacher", number))
        return
    if teacher.weights is None:
        raise TeacherError(
            f"teacher {teacher.name} has no trained weights: give them with --teacher-weights"
        )
    yield from repeat(teacher.weights(), repeats)


@torch.inference_mode()
def _activations(
    network: nn.Module,
    batch: Batch,
    state: TeacherState,
    watches: Sequence[Watch[Any]],
) -> Activations:
    if state == "trained":
        with ActivationReader(network.eval(), watches=watches) as read:
            return read(*batch.inputs, labels=batch.labels)
    with scoring_mode(network), ActivationReader(network, watches=watches) as read:
        return read(*batch.inputs, labels=batch.labels)
