"""Preprocessing of images for teachers that were trained with another one."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from diswot.errors import TeacherError
from diswot.tasks.images._image_spec import ImageSpec
from diswot.teachers import OwnView

LARGEST_SIDE = 4096
"""Maximum height and width of a network's input."""

Interpolation: TypeAlias = Literal["bilinear", "bicubic"]


class AsTrained(OwnView):
    """Converts images from the data's preprocessing to that of a network.

    The data's normalization is undone, the image is resized (antialiased) and center-cropped,
    and the network's own normalization applied. Gray images are repeated in all channels of the
    network.

    Args:
        network: the network; also the attribute `network`.
        images: spec of the data's images.
        mean: mean per channel of the network, of pixels in [0, 1]; by default the data's.
        std: standard deviation per channel of the network; by default the data's.
        size: height and width to which images are resized, or the length of their shorter side;
            by default they are not resized.
        crop: height and width of the center crop after resizing; by default no crop.
        interpolation: interpolation of resizing.

    Raises:
        TeacherError: the settings do not fit the images or each other.

    Examples:
        >>> spec = ImageSpec((1, 16, 16), 10, (0.3,), (0.2,), 16.0)
        >>> network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 10))
        >>> teacher = AsTrained(network, spec, mean=(0.5,) * 3, std=(0.25,) * 3, size=32)
        >>> teacher(torch.zeros(2, 1, 16, 16)).shape
        torch.Size([2, 10])
    """

    factor: Tensor
    offset: Tensor

    def __init__(
        self,
        network: nn.Module,
        images: ImageSpec,
        *,
        mean: Sequence[float] | None = None,
        std: Sequence[float] | None = None,
        size: int | tuple[int, int] | None = None,
        crop: tuple[int, int] | None = None,
        interpolation: Interpolation = "bilinear",
    ) -> None:
        super().__init__(network)
        self.images = images
        self.mean = tuple(images.mean if mean is None else mean)
        self.std = tuple(images.std if std is None else std)
        self.size = _resized(images.shape[1:], size)
        self.crop = self.size if crop is None else crop
        self._own_size, self._own_crop = size, crop
        self.interpolation = interpolation
        self._check()
        own_mean, own_std, mean_as_given, std_as_given = (
            torch.tensor(values).view(-1, 1, 1)
            for values in (self.mean, self.std, images.mean, images.std)
        )
        # Undoing one normalization and applying another is one affine map per channel.
        factor, offset = std_as_given / own_std, (mean_as_given - own_mean) / own_std
        self.register_buffer("factor", factor, persistent=False)
        self.register_buffer("offset", offset, persistent=False)

    def forward(self, images: Tensor) -> Any:
        """Preprocess images (B, C, H, W), normalized like the data's, and call the network."""
        return self.network(self.as_trained(images))

    def as_trained(self, images: Tensor) -> Tensor:
        """Convert images (B, C, H, W), normalized like the data's, to the network's input."""
        height, width = self.crop
        if tuple(images.shape[2:]) != self.size:
            images = F.interpolate(images, self.size, mode=self.interpolation, antialias=True)
        # Center crop.
        top, left = ((self.size[side] - self.crop[side]) // 2 for side in (0, 1))
        return images[..., top : top + height, left : left + width] * self.factor + self.offset

    @property
    def enlarges(self) -> bool:
        """Whether the network was trained on larger images than the data has."""
        return self._own_size is not None and any(
            own > given for own, given in zip(self.size, self.images.shape[1:], strict=True)
        )

    def without_network(self) -> "AsTrained":
        """Return the preprocessing alone, with an identity as network."""
        return AsTrained(
            nn.Identity(),
            self.images,
            mean=self.mean,
            std=self.std,
            size=self._own_size,
            crop=self._own_crop,
            interpolation=self.interpolation,
        )

    def of_original(self, image: Tensor) -> Tensor:
        """Preprocess an uncropped image for the network, as it was trained.

        Args:
            image: image (C, height, width) with values in [0, 1], of any height and width.

        Returns:
            The image (1, C, height, width), resized, cropped and normalized for the network.
        """
        square = (self._own_size,) * 2 if isinstance(self._own_size, int) else None
        return self._of_pixels(image, self._own_size, self._own_crop or square)

    def of_part(self, image: Tensor) -> Tensor:
        """Preprocess the crop of an original that the student's image shows, for the network.

        Args:
            image: crop (C, height, width) with values in [0, 1], of any height and width; the
                student's image is the same crop, resized.

        Returns:
            The image (1, C, height, width), as from the student's image but with the crop's
            higher resolution.
        """
        return self._of_pixels(image, self.size, self.crop)

    def _of_pixels(
        self, image: Tensor, size: int | tuple[int, int] | None, crop: tuple[int, int] | None
    ) -> Tensor:
        channels, height, width = image.shape
        pixels = replace(
            self.images,
            shape=(channels, height, width),
            mean=(0.0,) * channels,
            std=(1.0,) * channels,
        )
        view = AsTrained(
            nn.Identity(),
            pixels,
            mean=self.mean,
            std=self.std,
            size=size,
            crop=crop,
            interpolation=self.interpolation,
        )
        return view.to(image.device).as_trained(image[None])

    def extra_repr(self) -> str:
        """Return the settings of the preprocessing."""
        return (
            f"images={self.images}, mean={self.mean}, std={self.std}, size={self.size}, "
            f"crop={self.crop}, interpolation={self.interpolation}"
        )

    def _check(self) -> None:
        channels = self.images.shape[0]
        if len(self.mean) != len(self.std) or channels not in (1, len(self.mean)):
            raise TeacherError(
                f"Expected mean and std for {channels} channels of the images, "
                f"but got {len(self.mean)} and {len(self.std)}: give a teacher for such images"
            )
        if not all(map(math.isfinite, (*self.mean, *self.std))) or min(self.std) <= 0:
            raise TeacherError(
                f"Expected finite mean and positive std, but got {self.mean} and {self.std}"
            )
        if self.interpolation not in ("bilinear", "bicubic"):
            raise TeacherError(
                "Expected the interpolation bilinear or bicubic, "
                f"but got {self.interpolation!r}: choose one of them"
            )
        if max(*self.size, *self.crop) > LARGEST_SIDE:
            raise TeacherError(
                f"Expected images to be resized to at most {LARGEST_SIDE:,} pixels, but got "
                f"{max(*self.size, *self.crop):,}: check the teacher's image size"
            )
        if min(*self.size, *self.crop) < 1 or any(
            cut > side for cut, side in zip(self.crop, self.size, strict=True)
        ):
            raise TeacherError(
                f"Expected a center crop of {self.crop[0]}×{self.crop[1]} to fit the images, but "
                f"they are resized to {self.size[0]}×{self.size[1]}: give a larger size"
            )


def _resized(shape: tuple[int, ...], size: int | tuple[int, int] | None) -> tuple[int, int]:
    height, width = shape
    if size is None:
        return height, width
    if not isinstance(size, int):
        return size
    shorter = min(height, width)
    return size * height // shorter, size * width // shorter
