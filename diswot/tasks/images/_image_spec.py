"""What the images of a dataset are to a network."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from torch import Tensor

from diswot.devices import torch_threads
from search_spaces import Signature, TensorSpec

MOST_SIDE = 4_096
"""Pixels of a side of an image, and its channels."""

MOST_CLASSES = 1_000_000


@dataclass(frozen=True)
class ImageSpec:
    """What the images of a dataset are to a network.

    Attributes:
        shape: channels, height and width.
        num_classes: number of classes.
        mean: mean per channel, after division by `scale`.
        std: standard deviation per channel, of the same pixels.
        scale: what pixel values are divided by first, 255 for uint8.
    """

    shape: tuple[int, int, int]
    num_classes: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    scale: float

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "ImageSpec":
        """Read back what `dataclasses.asdict` and JSON made of it.

        Raises:
            TypeError: it is something else.
            ValueError: a number is none that images can have.
        """
        shape, classes = values["shape"], values["num_classes"]
        for name, number, most in (
            *zip(("channels", "height", "width"), shape, [MOST_SIDE] * 3, strict=True),
            ("num_classes", classes, MOST_CLASSES),
        ):
            if not isinstance(number, int) or not 1 <= number <= most:
                raise ValueError(f"Expected {name} to be from 1 to {most:,}, but got {number!r}")
        mean, std = (tuple(map(float, values[name])) for name in ("mean", "std"))
        scale = float(values["scale"])
        if not (len(mean) == len(std) == shape[0] and all(map(isfinite, (*mean, *std, scale)))):
            raise ValueError(f"Expected a mean and a deviation of {shape[0]} channels")
        return cls((shape[0], shape[1], shape[2]), classes, mean, std, scale)

    @classmethod
    def from_signature(cls, signature: Signature) -> "ImageSpec":
        """Read back what `signature` holds.

        Raises:
            KeyError: it holds no normalization.
            TypeError: something is of another type.
            ValueError: it is not that of images.
        """
        images, *others = signature.inputs
        if others or len(images.shape) != 3:
            raise ValueError("images are one input of three axes")
        return cls.from_json(
            {**signature.facts, "shape": images.shape, "num_classes": signature.outputs}
        )

    @property
    def signature(self) -> Signature:
        """What a classifier of these images takes and gives; `facts` hold the normalization."""
        facts = {"mean": self.mean, "std": self.std, "scale": self.scale}
        return Signature((TensorSpec("images", self.shape),), self.num_classes, facts)


def image_spec(
    images: Tensor,
    num_classes: int,
    mean: tuple[float, ...] | None = None,
    std: tuple[float, ...] | None = None,
    *,
    scale: float = 255.0,
) -> ImageSpec:
    """Describe images (n, C, H, W); mean and std are those of `images` where not given."""
    channels, height, width = images.shape[1:]
    if mean is None or std is None:
        with torch_threads(1):  # sums over several threads differ in their last digits
            pixels = images.double() / scale
            mean = tuple(pixels.mean(dim=(0, 2, 3)).tolist())
            std = tuple(pixels.std(dim=(0, 2, 3)).clamp_min(1e-8).tolist())
    return ImageSpec((channels, height, width), num_classes, mean, std, scale)
