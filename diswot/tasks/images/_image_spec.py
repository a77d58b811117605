"""Shape, classes and normalization of images."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from torch import Tensor

from diswot.tasks._pixels import pixel_statistics
from search_spaces import Signature, TensorSpec

MOST_SIDE = 4_096
"""Maximum height, width and number of channels."""

MOST_CLASSES = 1_000_000


@dataclass(frozen=True)
class ImageSpec:
    """Shape, classes and normalization of a dataset's images.

    Attributes:
        shape: channels, height and width.
        num_classes: number of classes.
        mean: mean per channel, after division by `scale`.
        std: standard deviation per channel, after division by `scale`.
        scale: divisor of pixel values before normalization, 255 for uint8.
    """

    shape: tuple[int, int, int]
    num_classes: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    scale: float

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "ImageSpec":
        """Create a spec from the JSON of `dataclasses.asdict`.

        Raises:
            TypeError: a value has the wrong type.
            ValueError: a number is out of range.
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
        """Create a spec from a signature with its normalization.

        Raises:
            KeyError: the signature has no normalization.
            TypeError: a value has the wrong type.
            ValueError: the signature is not that of an image classifier.
        """
        images, *others = signature.inputs
        if others or len(images.shape) != 3:
            raise ValueError("images are one input of three axes")
        return cls.from_json(
            {**signature.facts, "shape": images.shape, "num_classes": signature.outputs}
        )

    @property
    def signature(self) -> Signature:
        """Signature of classifiers; its `facts` contain the normalization."""
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
    """Return the spec of images (n, C, H, W); by default mean and std are computed."""
    channels, height, width = images.shape[1:]
    if mean is None or std is None:
        pixels = pixel_statistics(images, scale=scale)
        mean, std = pixels["mean"], pixels["std"]
    return ImageSpec((channels, height, width), num_classes, mean, std, scale)
