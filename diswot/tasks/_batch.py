"""What a network is run on, and what is known of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from torch import Tensor
from torch.utils._pytree import tree_map_only


@dataclass(frozen=True, eq=False)
class Batch:
    """B examples as a network takes them.

    Attributes:
        inputs: what the network is called with, in the order of the signature.
        targets: what losses and metrics read: a tensor, or tuples, lists and dictionaries of
            tensors; `None` of examples without labels.
        labels: (B,) class of each example, where the task has classes.
        indices: (B,) places of the examples in their split.
        views: what the network within a teacher is called with in place of `inputs`, by the
            names of teachers that have their own view of the examples.

    Examples:
        >>> import torch
        >>> batch = Batch((torch.zeros(2, 3),), torch.zeros(2, 4), None, torch.arange(2))
        >>> batch.to("meta").inputs[0].device.type
        'meta'
    """

    inputs: tuple[Tensor, ...]
    targets: Any
    labels: Tensor | None
    indices: Tensor
    views: Mapping[str, tuple[Tensor, ...]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.indices)

    def to(self, device: str) -> "Batch":
        """Return the batch with all its tensors on a device."""
        moved = tree_map_only(
            Tensor,
            lambda tensor: tensor.to(device),
            (self.inputs, self.targets, self.labels, self.indices, dict(self.views)),
        )
        inputs, targets, labels, indices, views = moved
        return replace(
            self, inputs=inputs, targets=targets, labels=labels, indices=indices, views=views
        )
