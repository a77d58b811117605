"""Teacher outputs for a batch: computed in every step, or once and cached for all epochs."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.utils._pytree import tree_flatten, tree_unflatten

from diswot.networks import ActivationReader, Activations, ForwardPass
from diswot.tasks import MOST_AT_ONCE, Batch
from diswot.training._plain_batches import PlainBatches

MOST_CACHED = 2**30
"""Size limit of cached teacher outputs, in bytes: 1 GiB."""

_OF_ALL = ("classifier_weight", "unread", "unmapped")
"""Parts of a forward pass that do not depend on the examples."""

TeacherOutputs: TypeAlias = Callable[[Batch], Activations]
"""(batch) → activations of the teacher for it."""


def given(batch: Batch, teacher: str) -> tuple[Tensor, ...]:
    """Return a teacher's inputs for a batch: its own view if it has one, else the student's."""
    return batch.views.get(teacher, batch.inputs)


def computed(read: ActivationReader, teacher: str) -> TeacherOutputs:
    """Return a function that runs the teacher on every batch.

    Args:
        read: reader of the teacher's activations.
        teacher: name of the teacher.
    """

    def outputs(batch: Batch) -> Activations:
        with torch.no_grad():
            return read(*given(batch, teacher))

    return outputs


@torch.no_grad()
def cached(
    read: ActivationReader, batches: PlainBatches, teacher: str, *, who: str = "the teacher"
) -> TeacherOutputs | None:
    """Run the teacher once on all training examples, and cache its outputs.

    Args:
        read: reader of the teacher's activations.
        batches: the training examples, which must be the same in every epoch.
        teacher: name of the teacher.
        who: description of the teacher in messages.

    Returns:
        A function that looks up the outputs of a batch; `None` if they take more than
        `MOST_CACHED` bytes, or if a watched activation does not have one row per example.
    """

    def forward(indices: Tensor) -> ForwardPass:
        return read.forward(*given(batches.take(indices), teacher))

    indices = torch.arange(len(batches))
    # Estimate the size from two and three examples before all are computed.
    size = len(indices) * _bytes_of_one(forward(indices[:2]), forward(indices[:3]))
    if size > MOST_CACHED:
        batches.note(f"{who}'s outputs ({size / 1e6:,.0f} MB) are too large to keep")
        return None
    # Flatten the outputs of each part to a list of tensors, and concatenate these over parts.
    form = tree_flatten(_outputs(forward(indices[:2])))[1]
    rows = [tree_flatten(_outputs(forward(part)))[0] for part in torch.split(indices, MOST_AT_ONCE)]
    columns = [torch.cat(c) if isinstance(c[0], Tensor) else None for c in zip(*rows, strict=True)]
    one = forward(indices[:2])
    batches.note(
        f"{who}'s outputs of {len(indices):,} examples are kept in memory ({size / 1e6:,.1f} MB): "
        "they are the same in every epoch"
    )

    def outputs(batch: Batch) -> Activations:
        result = tree_unflatten(
            [None if column is None else column[batch.indices] for column in columns], form
        )
        watched = dict(zip(one.watched, result.pop("watched"), strict=True))
        return Activations(replace(one, **result, watched=watched))

    return outputs


def _outputs(forward: ForwardPass) -> dict[str, Any]:
    """Return the parts of a forward pass that have one row per example."""
    rows = {name: value for name, value in vars(forward).items() if name not in _OF_ALL}
    return {**rows, "watched": list(forward.watched.values())}


def _bytes_of_one(of_two: ForwardPass, of_three: ForwardPass) -> float:
    """Return the bytes of one example's outputs; infinity if one has not a row per example.

    Args:
        of_two: forward pass of two examples.
        of_three: forward pass of three examples.
    """
    total = 0.0
    pairs = zip(tree_flatten(_outputs(of_two))[0], tree_flatten(_outputs(of_three))[0], strict=True)
    for two, three in pairs:
        if two is None and three is None:
            continue
        if not isinstance(two, Tensor) or (len(two), len(three)) != (2, 3):
            return math.inf
        total += two[0].nbytes
    return total
