"""Fields of image classification data."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor

from diswot.tasks._pixels import Pixels, normalized
from diswot.tasks._source import Source
from diswot.tasks.images._image_spec import ImageSpec
from diswot.tasks.images._originals import Originals
from diswot.tasks.images._split import Split


@dataclass(frozen=True, eq=False)
class LabeledImages:
    """Images, classes and normalization of a dataset.

    [`ImageData`][diswot.tasks.images.ImageData] documents the fields, and implements the
    `Dataset` interface.
    """

    name: str
    train: Split
    val: Split
    test: Split
    spec: ImageSpec
    flips: bool = True
    classes: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()
    originals: Mapping[str, Originals] = field(default_factory=dict)
    source: Source | None = None
    depth: int = 16
    teacher_view: str = "auto"
    loader_workers: int | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of one image."""
        return self.spec.shape

    @property
    def num_classes(self) -> int:
        """Number of classes."""
        return self.spec.num_classes

    def normalize(self, images: Tensor) -> Tensor:
        """Return images (n, C, H, W) normalized to float32: (x / scale − mean) / std."""
        spec = self.spec
        return normalized(images, Pixels(mean=spec.mean, std=spec.std, scale=spec.scale))

    normalise = normalize
    """Alias, the name in version 0.1.0."""
