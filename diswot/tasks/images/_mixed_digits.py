"""The pool for teachers of handwritten digits: digits of other styles, and other images."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from diswot.seeding import generator_for, seed_for
from diswot.tasks.images._split import Split

DIGITS = "0123456789"
LETTERS = "ABCDEFGHJKLMNPQRTUVWXYacdefhkmnrtwxy#%&?"
"""Letters and signs, without those that look like a digit in many fonts."""

COUNTS = {"shifted": 600, "printed": 300, "letters": 400, "photos": 300}
"""Number of images of each kind."""

FOREIGN = 10
"""Label of images that show no digit."""

_DRAWN = 64
"""Side of the canvas on which a character is drawn."""

_SIDE = 16
"""Height and width of the images."""


@cache
def mixed_digits() -> Split:
    """Return 1,600 gray images of 16×16 pixels that were made from what other packages contain.

    600 copies of the 200 validation images of the dataset `digits` in other styles (see
    `style_shifted`), 300 printed digits and 400 printed letters and signs in Pillow's font, each
    turned, slanted and scaled at random, and 300 crops of the two photos of scikit-learn. No
    training and no test image is used. The labels are the digits, or 10 for everything else;
    distillation does not read them.

    Examples:
        >>> pool = mixed_digits()
        >>> pool.images.shape, int((pool.labels < 10).sum())
        (torch.Size([1600, 1, 16, 16]), 900)
    """
    from diswot.tasks.images._digits import digits

    held_out = digits().val
    copies = COUNTS["shifted"] // len(held_out)
    shifted = style_shifted(held_out.images.repeat(copies, 1, 1, 1), seed=0)
    images, labels = zip(*_drawn(generator_for("printed characters")), strict=True)
    others = torch.from_numpy(np.stack(images))[:, None]
    return Split(
        torch.cat([shifted, others]),
        torch.cat([held_out.labels.repeat(copies), torch.tensor(labels)]),
    )


def style_shifted(images: Tensor, *, seed: int) -> Tensor:
    """Return gray images in other styles, drawn for each image.

    Strokes are thicker, thinner or as they were, contrast and brightness change by a gamma, a
    gain and an offset, the background gets a gradient, and noise is added.

    Args:
        images: images (n, 1, H, W) of uint8.
        seed: seed of the styles.

    Returns:
        Images (n, 1, H, W) of uint8.
    """
    drawn = torch.Generator().manual_seed(seed_for("styles", seed))
    pixels = images.float() / 255
    thick, thin = F.max_pool2d(pixels, 3, 1, 1), -F.max_pool2d(-pixels, 3, 1, 1)
    kinds = torch.randint(4, (len(images), 1, 1, 1), generator=drawn)
    pixels = torch.where(kinds == 0, 0.4 * pixels + 0.6 * thick, pixels)
    pixels = torch.where(kinds == 1, 0.7 * pixels + 0.3 * thin, pixels)

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(len(images), 1, 1, 1, generator=drawn)

    pixels = uniform(0.5, 1.0) * pixels ** uniform(0.6, 1.6) + uniform(0.0, 0.15)
    rows = torch.linspace(-0.5, 0.5, images.shape[2]).view(-1, 1)
    columns = torch.linspace(-0.5, 0.5, images.shape[3])
    pixels = pixels + uniform(-0.2, 0.2) * rows + uniform(-0.2, 0.2) * columns
    pixels = pixels + 0.02 * torch.randn(pixels.shape, generator=drawn)
    return (pixels * 255).round().clamp(0, 255).to(torch.uint8)


def _drawn(rng: np.random.Generator) -> Iterator[tuple[NDArray[np.uint8], int]]:
    for number in range(COUNTS["printed"]):
        label = number % len(DIGITS)
        yield _reduced(_character(DIGITS[label], rng)), label
    for number in range(COUNTS["letters"]):
        yield _reduced(_character(LETTERS[number % len(LETTERS)], rng)), FOREIGN
    for number in range(COUNTS["photos"]):
        yield _reduced(_crop(_photos()[number % 2], rng)), FOREIGN


def _character(text: str, rng: np.random.Generator) -> Any:
    """Draw a character in white on black, turned, slanted and cropped at random."""
    from PIL import Image, ImageDraw, ImageFont

    image = Image.new("L", (_DRAWN, _DRAWN))
    font = ImageFont.load_default(float(rng.integers(40, 56)))
    ImageDraw.Draw(image).text(
        (_DRAWN / 2, _DRAWN / 2),
        text,
        fill=int(rng.integers(170, 256)),
        font=font,
        anchor="mm",
        stroke_width=int(rng.integers(0, 3)),
    )
    image = image.rotate(rng.uniform(-15, 15), resample=Image.Resampling.BILINEAR)
    slant = rng.uniform(-0.2, 0.2)
    rows = (1, slant, -slant * _DRAWN / 2, 0, 1, 0)
    image = image.transform(
        image.size, Image.Transform.AFFINE, rows, resample=Image.Resampling.BILINEAR
    )
    margin = rng.uniform(0, 0.12) * _DRAWN
    left, top, right, bottom = image.getbbox() or (0, 0, *image.size)
    return image.crop(
        (int(left - margin), int(top - margin), int(right + margin), int(bottom + margin))
    )


@cache
def _photos() -> tuple[Any, ...]:
    """Return the two photos of scikit-learn in gray."""
    from PIL import Image
    from sklearn.datasets import load_sample_images

    return tuple(Image.fromarray(photo).convert("L") for photo in load_sample_images().images)


def _crop(photo: Any, rng: np.random.Generator) -> Any:
    side = int(rng.integers(24, 161))
    left, top = (int(rng.integers(0, length - side + 1)) for length in photo.size)
    return photo.crop((left, top, left + side, top + side))


def _reduced(image: Any) -> NDArray[np.uint8]:
    """Reduce an image to 8×8 pixels and double it, as the handwritten digits."""
    from PIL import Image

    small = image.resize((8, 8), resample=Image.Resampling.BOX)
    return np.asarray(
        small.resize((_SIDE, _SIDE), resample=Image.Resampling.BILINEAR), dtype=np.uint8
    )
