"""A batch of examples: inputs, targets and indices."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from torch import Tensor
from torch.utils._pytree import tree_map_only


@dataclass(frozen=True, eq=False)
class Batch:
    """B examples in the form that networks accept.

    Attributes:
        inputs: positional arguments of the network, in the order of the signature, each (B, …).
        targets: targets of losses and metrics: a tensor, or tuples, lists and dictionaries of
            tensors; `None` without labels.
        labels: class of each example (B,); `None` if the task has no classes.
        indices: indices (B,) of the examples in their split.
        views: other inputs for teachers with their own preprocessing, by the teachers' names.

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
