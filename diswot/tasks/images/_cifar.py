"""CIFAR-10 and CIFAR-100 from their official files, whose pickles are not executed.

Source: Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.
"""

import gzip
import io
import pickle
import re
import tarfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from diswot.errors import DataError, first_line
from diswot.files import read_file
from diswot.tasks.images._image_data import ImageData
from diswot.tasks.images._image_spec import ImageSpec, image_spec
from diswot.tasks.images._split import Split, held_out_part

_ALLOWED = {
    ("numpy.core.multiarray", "_reconstruct"): np.zeros(0).__reduce__()[0],
    ("numpy._core.multiarray", "_reconstruct"): np.zeros(0).__reduce__()[0],
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
}


_LARGEST_ARCHIVE = 2**28
"""Maximum unpacked size of an archive in bytes; the official ones are smaller."""


class _ArraysOnly(pickle.Unpickler):
    """Unpickler of containers, strings, numbers and numpy arrays; anything else raises."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _ALLOWED:
            return _ALLOWED[module, name]
        raise pickle.UnpicklingError(f"it asks to run {module}.{name}")


class _Bounded(gzip.GzipFile):
    """A gzip file that raises if its unpacked size exceeds the maximum."""

    left = _LARGEST_ARCHIVE

    def read(self, size: int | None = -1) -> bytes:
        """Return the next bytes, at most `size`."""
        wanted = self.left + 1 if size is None or size < 0 else min(size, self.left + 1)
        content = super().read(wanted)
        self.left -= len(content)
        if self.left < 0:
            raise DataError(
                f"{self.name} unpacks to more than {_LARGEST_ARCHIVE // 2**20} MiB, which no "
                "archive of CIFAR does: get the official archive again"
            )
        return content


@dataclass(frozen=True)
class _Batches:
    """The pickled batches by name: files of a folder, or members of the archive."""

    place: Path
    members: Mapping[str, bytes] | None = None

    def read(self, name: str) -> bytes:
        """Return the bytes of a batch.

        Raises:
            FileNotFoundError: there is no batch of that name.
        """
        if self.members is None:
            return read_file(self.place / name)
        if name not in self.members:
            raise FileNotFoundError
        return self.members[name]


def cifar10(root: Path) -> ImageData:
    """Read `cifar-10-batches-py` or its archive under `root`; a tenth of train is held out."""
    batches = _found(root, "cifar-10-batches-py", "cifar-10-python.tar.gz")
    count = _batch_count(batches)
    train = [_read(batches, f"data_batch_{i}", b"labels", 10) for i in range(1, count + 1)]
    test = _read(batches, "test_batch", b"labels", 10)
    classes = _class_names(batches, "batches.meta", b"label_names", 10)
    mean, std = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)
    spec = image_spec(test.images, 10, mean, std)
    return _divided("cifar10", _joined(train), test, spec, classes)


def cifar100(root: Path) -> ImageData:
    """Read `cifar-100-python` or its archive under `root`; a tenth of train is held out."""
    batches = _found(root, "cifar-100-python", "cifar-100-python.tar.gz")
    train = _read(batches, "train", b"fine_labels", 100)
    test = _read(batches, "test", b"fine_labels", 100)
    classes = _class_names(batches, "meta", b"fine_label_names", 100)
    mean, std = (0.5071, 0.4867, 0.4408), (0.2675, 0.2565, 0.2761)
    return _divided("cifar100", train, test, image_spec(test.images, 100, mean, std), classes)


def _divided(
    name: str, whole: Split, test: Split, spec: ImageSpec, classes: tuple[str, ...] | None
) -> ImageData:
    train, val = held_out_part(whole, 10, seed=0, classes=classes)
    return ImageData(name, train, val, test, spec, classes=classes)


def _joined(splits: list[Split]) -> Split:
    return Split(
        torch.cat([split.images for split in splits]), torch.cat([split.labels for split in splits])
    )


def _found(root: Path, folder: str, archive: str) -> _Batches:
    if (root / folder).is_dir():
        return _Batches(root / folder)
    if (root / archive).is_file():
        return _Batches(root / archive, _members(root / archive, folder))
    raise DataError(
        f"no folder {folder} and no {archive} in the data root {root}: put the official archive "
        "there, or set another data root with --data-root or DISWOT_DATA"
    )


def _members(archive: Path, folder: str) -> dict[str, bytes]:
    """Read the batches of an archive into memory, without unpacking it to disk."""
    results = {}
    try:
        with (
            _Bounded(archive) as expanded,
            tarfile.open(fileobj=expanded, mode="r|") as members,
        ):
            for member in members:
                place, _, name = member.name.rpartition("/")
                if place == folder and member.isfile():
                    file = members.extractfile(member)
                    results[name] = file.read() if file else b""
    except (OSError, EOFError, zlib.error, tarfile.TarError, ValueError) as error:
        raise DataError(
            f"{archive} is damaged ({first_line(error)}): get the official archive again"
        ) from error
    return results


def _class_names(batches: _Batches, name: str, key: bytes, count: int) -> tuple[str, ...] | None:
    """Return the names of the classes; `None` if their file is missing."""
    try:
        batches.read(name)
    except OSError:
        return None
    names = _unpickled(batches, name).get(key)
    if (
        not isinstance(names, list)
        or len(names) != count
        or not all(isinstance(item, bytes) for item in names)
    ):
        raise DataError(f"{batches.place / name} does not name {count} classes: {_AGAIN}")
    return tuple(item.decode("utf-8", "replace") for item in names)


def _batch_count(batches: _Batches) -> int:
    """Return the number of training batches, from the label "training batch 1 of 5"."""
    label = _unpickled(batches, "data_batch_1").get(b"batch_label", b"")
    match = (
        re.fullmatch(rb"training batch 1 of ([1-9]\d?)", label)
        if isinstance(label, bytes)
        else None
    )
    return int(match[1]) if match else 5


def _read(batches: _Batches, name: str, label_key: bytes, num_classes: int) -> Split:
    path, content = batches.place / name, _unpickled(batches, name)
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


def _unpickled(batches: _Batches, name: str) -> dict[bytes, Any]:
    path = batches.place / name
    try:
        content = _ArraysOnly(io.BytesIO(batches.read(name)), encoding="bytes").load()
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
