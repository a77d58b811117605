"""Datasets by name."""

from pathlib import Path
from typing import Any, Unpack

from diswot.errors import DataError, OptionError
from diswot.options import STREAM_ABOVE, DataOptions, takes_options
from diswot.progress import Progress, message, silent
from diswot.tasks._named_data import NamedData, datasets_of
from diswot.tasks._root import cache_root, data_root
from diswot.tasks.images._cifar import cifar10, cifar100
from diswot.tasks.images._digits import digits
from diswot.tasks.images._enlarged import EnlargedImages
from diswot.tasks.images._folder import image_folder
from diswot.tasks.images._image_data import ImageData
from diswot.tasks.images._pseudo_labels import is_pseudo_labeled, read_pseudo_labeled
from diswot.tasks.images._streamed_split import StreamedSplit
from diswot.tasks.images._user_dataset import from_dataset

TINY = "tiny-imagenet-20"
"""Name of a dataset, and of its folder in the data root."""


def tiny_imagenet_20(root: Path) -> Path:
    """Return the folder of 20 classes of Tiny ImageNet: photos of 64×64 pixels.

    Raises:
        DataError: the data root has no such folder.
    """
    if not (root / TINY).is_dir():
        raise DataError(
            f"there is no folder {TINY} in the data root {root}: put train/ and val/ with class "
            "folders there, or name another root with --data-root or DISWOT_DATA"
        )
    return root / TINY


DATASETS = datasets_of(
    "images",
    {"digits": digits, "cifar10": cifar10, "cifar100": cifar100, TINY: tiny_imagenet_20},
)
"""Name → function that loads the dataset from a data root, or returns its folder of images."""

GIVEN: dict[str, str] = {
    "path/to/folder": "Images in class folders, or in train/ and val/ (and test/) with class "
    "folders; or a folder of `diswot teacher label`.",
    "package.module:callable": "Python that returns a dataset, or a pair (training, test).",
}
"""Other values of `data` than names, for `diswot list datasets`."""

NAMED_DATA = NamedData(DATASETS, "a folder of images")
"""Resolver of names, folders and `package.module:callable`."""

_SIDES = {"digits": 16, "cifar10": 32, "cifar100": 32}
"""Height and width of the images of the built-in datasets."""


@takes_options
def check_data(data: Any, **options: Unpack[DataOptions]) -> None:
    """Check the name and options of data before anything is read.

    Raises:
        UnknownNameError: no dataset has that name.
        OptionError: the images have a size that cannot be chosen.
    """
    if not isinstance(data, str):
        return
    NAMED_DATA.check(data)
    image_size = options.get("image_size")
    side = _SIDES.get(data)
    if image_size is not None and side is not None and image_size != side:
        raise OptionError(
            f"{data} has images of {side}×{side}, which are used as they are: leave image_size "
            f"{image_size} out, or give a folder of images"
        )


@takes_options
def load_data(
    data: Any,
    *,
    root: str | Path | None = None,
    image_size: int | None = None,
    stream_above: float | None = None,
    progress: Progress = silent,
) -> ImageData:
    """Load an image dataset.

    Args:
        data: a built-in name; a folder of images, as a path or as text that is one (an
            existing folder, or anything with a separator); `package.module:callable`, which
            returns a dataset or a pair (training dataset, test dataset); or either of
            these itself.
        root: the data root; by default the environment variable `DISWOT_DATA`, else the user's
            cache.
        image_size: height and width in pixels to which the images of a folder or a dataset are
            resized; by default inferred.
        stream_above: size of the decoded images, in GiB, above which a folder is streamed: each
            image is decoded when it is used, instead of once into a file; by default 8, but a
            folder that was decoded before is not streamed.
        progress: called with inferred properties, and with the progress of decoding.

    Raises:
        UnknownNameError: no dataset has that name.
        OptionError: the images have a size that cannot be chosen.
        DataError: the dataset is missing, damaged or unfit.

    Examples:
        >>> load_data("digits").summary()
        'digits: 300 train, 200 val, 1,297 test images of 1×16×16, 10 classes'
    """
    check_data(data, image_size=image_size, stream_above=stream_above)
    result = _found(data, root, image_size, stream_above, progress)
    # Tensors and arrays keep their size, so image_size may not differ from it.
    if image_size is not None and result.shape[1:] != (image_size, image_size):
        channels, height, width = result.shape
        raise OptionError(
            f"{result.name} has images of {channels}×{height}×{width}, which are used as they "
            f"are: leave image_size {image_size} out, or give a folder of images"
        )
    if result is not data:
        for note in (*result.notes, *result.class_summary()):
            progress(message("data", note, can_wait=isinstance(data, str) and data in DATASETS))
        if stream_above is None and isinstance(result.train, StreamedSplit):
            stream_above = STREAM_ABOVE  # a rerun streams too, even if decoded since
        own_options = {"image_size": image_size, "stream_above": stream_above}
        result = result.with_provenance(source=NAMED_DATA.source(data, root, **own_options))
    return result


def load_resized(data: str, image_size: int, *, root: str | Path | None = None) -> ImageData:
    """Load a dataset with images of `image_size` × `image_size` pixels.

    Folders of images are decoded at this size. The images of other datasets are resized when they
    are read, for scores.

    Raises:
        UnknownNameError: no dataset has that name.
        DataError: the dataset is missing, damaged or unfit.

    Examples:
        >>> load_resized("digits", 24).shape
        (1, 24, 24)
    """
    if data in _SIDES:
        return EnlargedImages.of(load_data(data, root=root), image_size)
    return load_data(data, root=root, image_size=image_size)


def _found(
    data: Any,
    root: str | Path | None,
    image_size: int | None,
    stream_above: float | None,
    progress: Progress,
) -> ImageData:
    given = NAMED_DATA.path(data)
    if given is None and isinstance(data, str):
        given = NAMED_DATA.made(data, root)
    if isinstance(given, Path) and is_pseudo_labeled(given):
        return read_pseudo_labeled(given)
    if isinstance(given, Path):
        return image_folder(
            given,
            kept_in=cache_root(data_root(root)) / "images",
            image_size=image_size,
            stream_above=stream_above,
            progress=progress,
        )
    if isinstance(data, str):
        return from_dataset(given, name=data, image_size=image_size)
    return from_dataset(data, name=type(data).__name__, image_size=image_size)
