"""What a teacher shows of a batch: computed now, or once for all epochs."""

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
"""Bytes of a teacher's outputs that are kept in memory, 1 GiB."""

_OF_ALL = ("classifier_weight", "unread", "unmapped")
"""What of a pass is the same for all examples."""

TeacherOutputs: TypeAlias = Callable[[Batch], Activations]
"""A batch → what the teacher shows of it."""


def given(batch: Batch, teacher: str) -> tuple[Tensor, ...]:
    """Return what a teacher is given of a batch: its own view, else what students are."""
    return batch.views.get(teacher, batch.inputs)


def computed(read: ActivationReader, teacher: str) -> TeacherOutputs:
    """Run the teacher of a name on every batch."""

    def outputs(batch: Batch) -> Activations:
        with torch.no_grad():
            return read(*given(batch, teacher))

    return outputs


@torch.no_grad()
def cached(
    read: ActivationReader, batches: PlainBatches, teacher: str, *, who: str = "the teacher"
) -> TeacherOutputs | None:
    """Run the teacher once on all training examples, and keep what it shows.

    Returns:
        The outputs; `None` where they take more than `MOST_CACHED` bytes, or where something
        is watched that has not one row for each example.
    """

    def forward(places: Tensor) -> ForwardPass:
        return read.forward(*given(batches.take(places), teacher))

    places = torch.arange(len(batches))
    size = len(places) * _bytes_of_one(forward(places[:2]), forward(places[:3]))
    if size > MOST_CACHED:
        batches.note(f"{who}'s outputs ({size / 1e6:,.0f} MB) are too large to keep")
        return None
    form = tree_flatten(_outputs(forward(places[:2])))[1]
    rows = [tree_flatten(_outputs(forward(part)))[0] for part in torch.split(places, MOST_AT_ONCE)]
    columns = [torch.cat(c) if isinstance(c[0], Tensor) else None for c in zip(*rows, strict=True)]
    one = forward(places[:2])
    batches.note(
        f"{who}'s outputs of {len(places):,} examples are kept in memory ({size / 1e6:,.1f} MB): "
        "they are the same in every epoch"
    )

    def outputs(batch: Batch) -> Activations:
        found = tree_unflatten(
            [None if column is None else column[batch.indices] for column in columns], form
        )
        watched = dict(zip(one.watched, found.pop("watched"), strict=True))
        return Activations(replace(one, **found, watched=watched))

    return outputs


def _outputs(forward: ForwardPass) -> dict[str, Any]:
    """Return all of a pass that has a row for each example."""
    rows = {name: value for name, value in vars(forward).items() if name not in _OF_ALL}
    return {**rows, "watched": list(forward.watched.values())}


def _bytes_of_one(of_two: ForwardPass, of_three: ForwardPass) -> float:
    """Return the bytes of one row of all outputs, which must have one row for each example."""
    total = 0.0
    pairs = zip(tree_flatten(_outputs(of_two))[0], tree_flatten(_outputs(of_three))[0], strict=True)
    for two, three in pairs:
        if two is None and three is None:
            continue
        if not isinstance(two, Tensor) or (len(two), len(three)) != (2, 3):
            return math.inf
        total += two[0].nbytes
    return total
