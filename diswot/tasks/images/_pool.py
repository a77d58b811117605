"""Pools of unlabeled images: folders of any layout, and the images of datasets."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from diswot.errors import DataError, OptionError
from diswot.files import irregular
from diswot.progress import Progress, message, silent
from diswot.references import is_reference
from diswot.tasks._image_file import depth_of, read_header, read_image
from diswot.tasks.images._catalog import NAMED_DATA, load_data
from diswot.tasks.images._conversion import inferred_shape
from diswot.tasks.images._image_data import ImageData
from diswot.tasks.images._mixed_digits import mixed_digits
from diswot.tasks.images._reading import Reading
from diswot.tasks.images._split import Split
from diswot.tasks.images._walk import LeftOut, images_in

MIXED_DIGITS = "mixed-digits"
"""Name of the built-in pool, for the handwritten digits."""

DEFAULTS = {"digits": MIXED_DIGITS}
"""Dataset → pool if none is given."""

_TOGETHER = 1_000
_KEPT: dict[Any, Tensor] = {}
"""Images of the pool that was read last, by the shape and its files or its digest."""


def default_pool(data: object) -> str | None:
    """Return the pool of a dataset if none is given; `None` if there is none.

    Args:
        data: the dataset, or its name.
    """
    name = data if isinstance(data, str) else getattr(data, "name", None)
    return DEFAULTS.get(str(name))


def check_pool(pool: str | Path, *, least: int) -> None:
    """Check a pool before anything is read.

    Args:
        pool: a folder of images, or a name.
        least: smallest number of images.

    Raises:
        UnknownNameError: there is no folder and no dataset of this name.
        OptionError: it names Python code, which a resumed run would not import.
        DataError: the folder cannot be read, or has fewer images.
    """
    if pool == MIXED_DIGITS:
        return
    folder = _folder(pool)
    if folder is None:
        name = str(pool)
        if is_reference(name):
            raise OptionError(f"Expected a folder or a dataset as pool, but got the code {name!r}")
        NAMED_DATA.check(name)
        return
    _check_count(len(_paths(folder, LeftOut(folder))), least, str(folder))


def with_pool(
    data: ImageData,
    pool: Any,
    *,
    root: str | Path | None = None,
    least: int = 2,
    progress: Progress = silent,
) -> ImageData:
    """Return data whose training split is a pool of images, without labels.

    Images are converted to the shape of the data: resized so that the shorter side fits, cropped in
    the center, and converted to gray or color. Images of a single color and unreadable files are
    left out; validation and test split stay. All training labels are 0 and have no meaning.

    Args:
        data: the dataset, which determines shape, value range and normalization.
        pool: a folder with images at any depth, the name of a dataset or of the pool
            `mixed-digits`, or a dataset, of which the training images are used.
        root: the data root.
        least: smallest number of images.
        progress: receives what was read and left out.

    Raises:
        DataError: there are too few images, or too many unreadable ones.
        OptionError: the images of a dataset cannot be converted.

    Examples:
        >>> from diswot.tasks.images import load_data
        >>> with_pool(load_data("digits"), "mixed-digits").summary()
        'digits: 1,600 train, 200 val, 1,297 test images of 1×16×16, 10 classes'
    """
    name, images = _images(pool, data.shape, root, progress)
    _check_count(len(images), least, f"{name}, without images of a single color,")
    progress(message("pool", f"{len(images):,} images of {name}"))
    if data.spec.scale != 255:
        images = images.float() * (data.spec.scale / 255)
    train = Split(images, torch.zeros(len(images), dtype=torch.long))
    return replace(data, train=train, originals={})


def pool_images(
    pool: Any, *, image_size: int | None, root: str | Path | None, progress: Progress
) -> tuple[str, Tensor]:
    """Return the name of a pool, and its images (n, C, H, W) of uint8 in their own shape.

    Images of a single color and unreadable files are left out.

    Args:
        pool: a folder with images at any depth, the name of a dataset or of the pool
            `mixed-digits`, or a dataset, of which the training images are used.
        image_size: height and width; by default inferred.
        root: the data root.
        progress: receives what was read and left out.

    Raises:
        DataError: there are no images, or too many unreadable ones.
        OptionError: the images of a dataset cannot be converted.
    """
    folder = None if pool == MIXED_DIGITS else _folder(pool)
    if folder is not None:
        paths = _paths(folder, LeftOut(folder))
        _check_count(len(paths), 1, str(folder))
        headers = Reading(folder, paths).each(read_header, stage="look", progress=progress)
        shape, note = inferred_shape([header for header in headers if header], image_size)
        progress(message("pool", note))
        return _images(folder, shape, root, progress)
    if pool == MIXED_DIGITS:
        channels, *sides = mixed_digits().images.shape[1:]
    else:
        pool = load_data(pool, root=root, progress=progress)
        channels, *sides = pool.shape
    height, width = sides if image_size is None else (image_size, image_size)
    return _images(pool, (channels, height, width), root, progress)


def _images(
    pool: Any, shape: tuple[int, int, int], root: str | Path | None, progress: Progress
) -> tuple[str, Tensor]:
    """Return name and images (n, C, H, W) of a pool, without images of a single color."""
    name, images = _all_images(pool, shape, root, progress)
    plain = images.flatten(1).amax(1) == images.flatten(1).amin(1)
    if bool(plain.any()):
        images = images[~plain]
        left = f"{int(plain.sum()):,} images of a single color are left out"
        progress(message("pool", left))
    return name, images


def _all_images(
    pool: Any, shape: tuple[int, int, int], root: str | Path | None, progress: Progress
) -> tuple[str, Tensor]:
    """Return name and images (n, C, H, W) of a pool, which are kept in memory."""
    if pool == MIXED_DIGITS:
        return MIXED_DIGITS, _fitted(mixed_digits().images, shape)
    folder = _folder(pool)
    if folder is None:
        other = load_data(pool, root=root, progress=progress)
        converted = partial(_of_dataset, other, shape)
        return other.name, _kept((shape, other.digest), converted)
    left = LeftOut(folder)
    paths = _paths(folder, left)
    key = (shape, *((path, *_state(path)) for path in paths))
    return str(folder), _kept(key, partial(_read, folder, paths, left, shape, progress))


def _kept(key: Any, read: Callable[[], Tensor]) -> Tensor:
    """Return the images of a key, which are read if they are not those of the last one."""
    if key not in _KEPT:
        _KEPT.clear()
        _KEPT[key] = read()
    return _KEPT[key]


def _folder(pool: Any) -> Path | None:
    """Return the folder that a pool names; `None` for a dataset."""
    path = NAMED_DATA.path(pool)
    if path is not None and not path.is_dir():
        what = irregular(path) or ("a file" if path.is_file() else None)
        raise DataError(
            f"{path} is {what}, not a folder of images: name a folder as --pool"
            if what
            else f"no folder {path}: name a folder of images as --pool"
        )
    return path


def _check_count(count: int, least: int, where: str) -> None:
    if count < least:
        raise DataError(
            f"Expected a pool of at least {least:,} images, one batch, but {where} has {count:,}: "
            "add images, or use smaller batches (--train-batch-size)"
        )


def _paths(folder: Path, left: LeftOut) -> list[Path]:
    try:
        return sorted(images_in(folder, left))
    except OSError as error:
        raise DataError(f"{error.filename} cannot be read ({error.strerror})") from error


def _state(path: Path) -> tuple[int, int]:
    try:
        state = path.stat()
    except OSError:  # a link to nothing, which is left out as unreadable
        return 0, 0
    return state.st_size, state.st_mtime_ns


def _read(
    folder: Path,
    paths: Sequence[Path],
    left: LeftOut,
    shape: tuple[int, int, int],
    progress: Progress,
) -> Tensor:
    """Decode the images of a folder to uint8."""
    first = Reading(folder, paths)
    headers = [h for h in first.each(read_header, stage="look", progress=progress) if h]
    decode = partial(read_image, shape=shape, depth=depth_of(headers))
    reading = Reading(folder, [path for path in paths if path not in first.unreadable])
    decoded = reading.each(decode, stage="decode", progress=progress)
    images = [pixels for pixels in decoded if pixels is not None]
    for note in (*_unreadable(first, reading), *left.notes()):
        progress(message("pool", note))
    return torch.from_numpy(np.stack(images))


def _unreadable(*attempts: Reading) -> list[str]:
    return [
        f"unreadable images left out, {len(reading.unreadable)}: {reading.reasons}"
        for reading in attempts
        if reading.unreadable
    ]


def _of_dataset(other: ImageData, shape: tuple[int, int, int]) -> Tensor:
    """Return the training images of a dataset as uint8 in a shape."""
    if other.spec.scale != 255 and other.spec.scale != 1:
        raise OptionError(
            f"Expected a pool of images with values from 0 to 255 or from 0 to 1, but those of "
            f"{other.name} have another range: name a folder of images"
        )
    factor, parts = 255 / other.spec.scale, []
    for indices in torch.split(torch.arange(len(other.train)), _TOGETHER):
        pixels = other.train.take(indices).images.float() * factor
        parts.append(_fitted(pixels.round().clamp(0, 255).to(torch.uint8), shape))
    return torch.cat(parts)


def _fitted(images: Tensor, shape: tuple[int, int, int]) -> Tensor:
    """Convert images (n, C, H, W) of uint8 to a shape."""
    channels, height, width = shape
    if tuple(images.shape[1:]) == shape:
        return images
    pixels = images.float()
    if pixels.shape[1] != channels:
        pixels = pixels.mean(1, keepdim=True).expand(-1, channels, -1, -1)
    scale = max(height / pixels.shape[2], width / pixels.shape[3])
    size = [
        max(side, round(scale * length))
        for side, length in zip((height, width), pixels.shape[2:], strict=True)
    ]
    if size != list(pixels.shape[2:]):
        pixels = F.interpolate(pixels, size=size, mode="bilinear", antialias=True)
    top, left = (size[0] - height) // 2, (size[1] - width) // 2
    pixels = pixels[:, :, top : top + height, left : left + width]
    return pixels.round().clamp(0, 255).to(torch.uint8).contiguous()
