"""CIFAR-10 and CIFAR-100 in their official on-disk format, read without executing it.

Source: Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.
"""

import io
import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import torch

from diswot.data._image_data import ImageData, Split, held_out, image_spec
from diswot.errors import DataError, first_line

_ALLOWED = {
    ("numpy.core.multiarray", "_reconstruct"): np.zeros(0).__reduce__()[0],
    ("numpy._core.multiarray", "_reconstruct"): np.zeros(0).__reduce__()[0],
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
}


class _ArraysOnly(pickle.Unpickler):
    """Reads containers, text, numbers and plain arrays; anything else is refused, not run."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _ALLOWED:
            return _ALLOWED[module, name]
        raise pickle.UnpicklingError(f"it asks to run {module}.{name}")


def cifar10(root: Path) -> ImageData:
    """Read `cifar-10-batches-py` under `root`; a tenth of the training images is held out."""
    folder = _folder(root, "cifar-10-batches-py")
    count = _batch_count(folder / "data_batch_1")
    train = [_read(folder / f"data_batch_{i}", b"labels", 10) for i in range(1, count + 1)]
    test = _read(folder / "test_batch", b"labels", 10)
    mean, std = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)
    return _divided("cifar10", _joined(train), test, 10, mean, std)


def cifar100(root: Path) -> ImageData:
    """Read `cifar-100-python` under `root`; a tenth of the training images is held out."""
    folder = _folder(root, "cifar-100-python")
    train = _read(folder / "train", b"fine_labels", 100)
    test = _read(folder / "test", b"fine_labels", 100)
    mean, std = (0.5071, 0.4867, 0.4408), (0.2675, 0.2565, 0.2761)
    return _divided("cifar100", train, test, 100, mean, std)


def _divided(
    name: str,
    whole: Split,
    test: Split,
    num_classes: int,
    mean: tuple[float, ...],
    std: tuple[float, ...],
) -> ImageData:
    train, val = held_out(whole, len(whole) // 10, seed=0)
    return ImageData(name, train, val, test, image_spec(train.images, num_classes, mean, std))


def _joined(splits: list[Split]) -> Split:
    return Split(
        torch.cat([split.images for split in splits]), torch.cat([split.labels for split in splits])
    )


def _folder(root: Path, name: str) -> Path:
    folder = root / name
    if not folder.is_dir():
        raise DataError(
            f"no folder {name} in the data root {root}: unpack the dataset there, "
            "or name its place with --data-root or DISWOT_DATA"
        )
    return folder


def _batch_count(first: Path) -> int:
    """Read "training batch 1 of 5": how many batches the folder must hold."""
    label = _unpickled(first).get(b"batch_label", b"")
    found = (
        re.fullmatch(rb"training batch 1 of ([1-9]\d?)", label)
        if isinstance(label, bytes)
        else None
    )
    return int(found[1]) if found else 5


def _read(path: Path, label_key: bytes, num_classes: int) -> Split:
    content = _unpickled(path)
    images, labels = content.get(b"data"), content.get(label_key)
    if not isinstance(images, np.ndarray) or images.dtype != np.uint8 or images.ndim != 2:
        raise DataError(f"{path} has no array of images under b'data': {_AGAIN}")
    try:
        classes = np.asarray(labels, dtype=np.int64)
    except (TypeError, ValueError, OverflowError):
        classes = np.empty(0, dtype=np.int64)
    if images.shape != (len(images), 3072) or classes.shape != (len(images),) or not len(images):
        raise DataError(
            f"{path} has images of shape {images.shape} and labels of shape {classes.shape}, "
            f"expected (n, 3072) and (n,): {_AGAIN}"
        )
    if classes.min() < 0 or classes.max() >= num_classes:
        raise DataError(
            f"{path} has labels from {classes.min()} to {classes.max()}, "
            f"expected 0 to {num_classes - 1}: {_AGAIN}"
        )
    pixels = torch.from_numpy(images.reshape(-1, 3, 32, 32).copy())
    return Split(pixels, torch.from_numpy(classes))


def _unpickled(path: Path) -> dict[bytes, Any]:
    try:
        content = _ArraysOnly(io.BytesIO(path.read_bytes()), encoding="bytes").load()
    except FileNotFoundError as error:
        raise DataError(f"the batch {path} is missing: {_AGAIN}") from error
    except OSError as error:
        raise DataError(
            f"{path} cannot be read ({error.strerror}): check its permissions"
        ) from error
    except Exception as error:  # a damaged pickle can raise anything
        raise DataError(f"{path} is not a CIFAR batch ({first_line(error)}): {_AGAIN}") from error
    if not isinstance(content, dict):
        raise DataError(f"{path} holds a {type(content).__name__}, not a CIFAR batch: {_AGAIN}")
    return content


_AGAIN = "unpack the official archive again"
