"""Multi-label datasets by name, from annotation files, or from users' code."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Unpack

from diswot.errors import DataError, OptionError
from diswot.options import takes_options
from diswot.progress import Progress, message, silent
from diswot.tasks._examples import SPLITS
from diswot.tasks._named_data import NamedData, datasets_of
from diswot.tasks._stratified_split import completed
from diswot.tasks.images._image_data import ImageData
from diswot.tasks.images._image_spec import image_spec
from diswot.tasks.images._split import Split
from diswot.tasks.images._user_dataset import by_split, named_part, names_of, read_items
from diswot.tasks.images._values import in_range
from diswot.tasks.images.multi_label._annotations import SUFFIXES
from diswot.tasks.images.multi_label._data import MultiLabelData
from diswot.tasks.images.multi_label._digit_sets import digit_sets
from diswot.tasks.images.multi_label._label_sets import label_vectors, read_sets
from diswot.tasks.images.multi_label._options import MultiLabelOptions
from diswot.tasks.images.multi_label._photos import annotated_photos
from diswot.tasks.images.multi_label._stratified import held_out_of

DATASETS = datasets_of(
    "multi-label", {"digit-sets": digit_sets}, kind="dataset of multi-label images"
)
"""Name → function that returns the data, given a data root."""

NAMED_DATA = NamedData(DATASETS, "a .csv or .jsonl file, or a folder with one", SUFFIXES)
"""Resolver of names, files, folders and `package.module:callable`."""


@takes_options
def check_multi_label(data: Any, **options: Unpack[MultiLabelOptions]) -> None:
    """Check the name and options of multi-label data before anything is read.

    Raises:
        UnknownNameError: no dataset has that name.
        OptionError: the images have a size that cannot be chosen.
    """
    if isinstance(data, str):
        NAMED_DATA.check(data)
        if options.get("image_size") is not None and data in DATASETS:
            raise OptionError(f"{data} has images of one size: leave image_size out")


@takes_options
def load_multi_label(
    data: Any,
    *,
    root: str | Path | None = None,
    image_size: int | None = None,
    progress: Progress = silent,
) -> MultiLabelData:
    """Load images with any number of labels each.

    Args:
        data: a built-in name; a `.csv` or `.jsonl` file that names images and their labels, or
            a folder with one; `package.module:callable`, which returns a dataset, a pair
            (training dataset, test dataset), or a dictionary of datasets by split, such as
            those of Hugging Face; or one of these itself. The items of a dataset have a list of
            names or of numbers as label, or an array of zeros and ones.
        root: the data root; by default the environment variable `DISWOT_DATA`, else the user's
            cache.
        image_size: height and width in pixels to which images are resized; by default inferred.
        progress: called with inferred properties, and with the progress of decoding.

    Raises:
        UnknownNameError: no dataset has that name, or an image has an unknown label.
        OptionError: the images have a size that cannot be chosen.
        DataError: the dataset is missing, damaged or unfit.

    Examples:
        >>> load_multi_label("digit-sets").summary()
        'digit-sets: 600 train, 200 val, 800 test images of 1×16×16, 10 classes'
    """
    check_multi_label(data, image_size=image_size)
    given = NAMED_DATA.path(data)
    if given is None:
        given = NAMED_DATA.made(data, root) if isinstance(data, str) else data
    if isinstance(given, Path):
        result = annotated_photos(given, image_size=image_size, progress=progress)
    else:
        name = data if isinstance(data, str) else type(given).__name__
        result = from_datasets(given, name=name, image_size=image_size)
    if isinstance(data, MultiLabelData):
        return data
    for note in (*result.notes, *result.class_summary()):
        progress(message("data", note, can_wait=isinstance(data, str) and data in DATASETS))
    source = NAMED_DATA.source(data, root, image_size=image_size)
    return replace(result, source=source)


def from_datasets(
    given: Any, *, name: str, image_size: int | None = None, seed: int = 0
) -> MultiLabelData:
    """Convert a dataset, or several, of items with an image and a list of labels.

    Args:
        given: as for the task images, see `load_multi_label`.
        name: name of the data, for messages.
        image_size: height and width in pixels to which PIL images are resized.
        seed: seed of the random splits.

    Raises:
        DataError: the items are not images of one shape with lists of labels.
        UnknownNameError: an item has a label that the dataset does not name.

    Examples:
        >>> import torch
        >>> sets = [["cat"], ["dog"], ["cat", "dog"], []] * 8
        >>> data = from_datasets([(torch.rand(3, 8, 8), each) for each in sets], name="pets")
        >>> data.classes, data.train.labels.shape
        (('cat', 'dog'), torch.Size([23, 2]))
    """
    if isinstance(given, MultiLabelData):
        return given
    if isinstance(given, ImageData):
        raise DataError(
            f"{given.name} has one class for each image: leave the task multi-label out"
        )
    datasets = by_split(given, name)
    read = read_items(datasets, name, image_size=image_size)
    raw = {split: items.labels for split, items in read.items()}
    sets = {split: read_sets(own, named_part(datasets, split, name)) for split, own in raw.items()}
    labels, classes, count = label_vectors(
        sets, names_of(datasets["train"]), name, width=_width(raw, name)
    )
    images, scale, said = in_range({split: item.images for split, item in read.items()}, name)
    results = {split: Split(images[split], labels[split]) for split in read}
    splits = completed(results, partial(_held_out, seed=seed))
    train, val, test = (splits[split] for split in SPLITS)
    spec = image_spec(train.images, count, scale=scale)
    notes = [*dict.fromkeys(note for items in read.values() for note in items.notes), *said]
    return MultiLabelData(name, train, val, test, spec, classes=classes, notes=tuple(notes))


def _held_out(split: Split, part: int, *, seed: int) -> tuple[Split, Split]:
    rest, held = held_out_of(split.labels, part, seed)
    return split.take(rest), split.take(held)


def _width(raw: Mapping[str, list[Any]], name: str) -> int | None:
    """Return the length of label vectors; `None` if labels are not given as vectors.

    Raises:
        DataError: the vectors have different lengths.
    """
    vectors = [item for own in raw.values() for item in own if hasattr(item, "shape")]
    lengths = {len(item) for item in vectors if len(item.shape) == 1}
    if len(lengths) > 1:
        shortest, *_, longest = sorted(lengths)
        raise DataError(
            f"{name} has label vectors of {shortest:,} and of {longest:,} labels: give all the "
            "same length"
        )
    return next(iter(lengths), None)
