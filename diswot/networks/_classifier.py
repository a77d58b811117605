"""Find the classifier: the linear layer whose output the network returns."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

Linear = nn.Linear | nn.Conv2d
"""Types of classifiers; a convolution counts if its kernel covers its whole input."""


@dataclass(frozen=True, eq=False)
class LinearCall:
    """A call of a layer whose output is one vector per image.

    Attributes:
        layer: the layer.
        given: its input.
        output: its output.
        feature_map: the last feature map before the call.
        version: version counter of `output`, which in-place operations increase; `None` in
            inference mode, which has none.
    """

    layer: Linear
    given: Tensor
    output: Tensor
    feature_map: Tensor | None
    version: int | None

    @property
    def features(self) -> Tensor:
        """The input of the layer: (B, D)."""
        return self.given if self.given.ndim == 2 else self.given.flatten(1)

    @property
    def weight(self) -> Tensor:
        """The weight of the layer: (N, D)."""
        return self.layer.weight.flatten(1)

    def gave(self, returned: Tensor) -> bool:
        """Return whether the network returned the output of this call.

        It may be a view of it (`squeeze`, `flatten`), or the same values in another precision.
        """
        if self.version is not None and self.output._version != self.version:
            return False
        if returned.dtype != self.output.dtype:
            own = self.output.reshape(len(self.output), -1).to(returned.dtype)
            return own.shape == returned.shape and not own.is_meta and torch.equal(own, returned)
        return returned is self.output or _same_numbers(returned, self.output)


def linear_call(
    layer: Linear, given: object, output: object, feature_map: Tensor | None
) -> LinearCall | None:
    """Return the record of a call if it maps each image to one vector, else `None`."""
    if isinstance(layer, nn.Conv2d) and layer.groups != 1:
        return None
    if not isinstance(given, Tensor) or not isinstance(output, Tensor):
        return None
    reads, writes = _widths(layer, given)
    images = len(output) if output.ndim > 1 else 0
    if (given.numel(), output.numel()) != (images * reads, images * writes):
        return None
    version = None if output.is_inference() else output._version
    return LinearCall(layer, given, output, feature_map, version)


def classifier_call(calls: Sequence[LinearCall], returned: Tensor) -> LinearCall | None:
    """Return the last call whose output is the network's output (B, N), or `None`."""
    return next((call for call in reversed(calls) if call.gave(returned)), None)


def _widths(layer: Linear, given: Tensor) -> tuple[int, int]:
    """Return how many values a layer reads and writes per position.

    Not from the shape of the weight, because a parametrized weight is recomputed at access.
    """
    if isinstance(layer, nn.Linear):
        return layer.in_features, layer.out_features
    height, width = layer.kernel_size
    return given.shape[-3] * height * width, layer.out_channels


def _same_numbers(returned: Tensor, output: Tensor) -> bool:
    return (
        returned.numel() == output.numel()
        and returned.is_contiguous()
        and returned.storage_offset() == output.storage_offset()
        and returned.untyped_storage()._cdata == output.untyped_storage()._cdata
    )
