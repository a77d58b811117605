"""What every candidate is scored on: batches, and the activations of the teacher for them."""

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
    """One batch, the same for every candidate, and what the teacher shows of it."""

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
    """Draw the batches and show them to the teacher, once for the whole run.

    At random initialization every repeat has its own teacher, and batch
    normalization uses the batch; a trained teacher is read in evaluation mode. Where it is not
    needed it sees two examples, so that one that does not fit is still found out.

    Raises:
        OptionError: the batch is larger than the split.
        TeacherError: the teacher has no trained weights, and they are asked for.
        NetworkError: the teacher does not fit the data.
    """
    size, called = data.size(split), "training" if split == "train" else split
    if batch_size > size:
        raise OptionError(
            f"Expected a batch of at most the {size} {called} {data.task.noun}s of {data.name}, "
            f"but got {batch_size}: choose a smaller --batch-size"
        )
    prepared = []
    for number, network in enumerate(_in_state(teacher, state, repeats, seed)):
        drawn = generator_for(seed, "batch", number).choice(size, batch_size, replace=False)
        batch = data.batch(split, torch.from_numpy(drawn), device=device)
        few = [each[:2] for each in batch.inputs]
        try_network(network.to(device), few, data, who=f"teacher {teacher.name}")
        with torch_threads(threads):
            seen = batch if needed else _start(batch)
            activations = _activations(network, seen, state, watches)
        prepared.append(Repeat(batch.inputs, batch.labels, activations))
    return prepared


def _start(batch: Batch) -> Batch:
    labels = None if batch.labels is None else batch.labels[:2]
    return replace(batch, inputs=tuple(each[:2] for each in batch.inputs), labels=labels)


def _in_state(
    teacher: Teacher, state: TeacherState, repeats: int, seed: int
) -> Iterator[nn.Module]:
    """Yield the teacher of each repeat: another at random, or always the trained one."""
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
