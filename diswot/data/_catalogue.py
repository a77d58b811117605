"""Datasets by name."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from diswot.data._cifar import cifar10, cifar100
from diswot.data._digits import digits
from diswot.data._given import from_dataset
from diswot.data._image_data import ImageData
from diswot.data._root import data_root
from diswot.errors import DataError, UnknownNameError, first_line
from diswot.references import is_reference, resolve

DATASETS: dict[str, Callable[[Path], ImageData]] = {
    "digits": digits,
    "cifar10": cifar10,
    "cifar100": cifar100,
}


def load_data(data: Any, *, root: str | Path | None = None) -> ImageData:
    """Return the dataset that is meant.

    Args:
        data: a built-in name; `package.module:callable`, which returns a dataset or
            a pair (training dataset, test dataset); or either of these itself.
        root: the data root; by default the variable `DISWOT_DATA`, else the user's cache.

    Raises:
        UnknownNameError: no dataset has that name.
        DataError: the dataset is missing, damaged or unfit.

    Examples:
        >>> load_data("digits").summary()
        'digits: 300 train, 200 val, 1,297 test images of 1×16×16, 10 classes'
    """
    if not isinstance(data, str):
        return from_dataset(data, name=type(data).__name__)
    if is_reference(data):
        return from_dataset(_called(data), name=data)
    if data not in DATASETS:
        raise UnknownNameError("dataset", data, DATASETS, also=" (or give package.module:callable)")
    return DATASETS[data](data_root(root))


def _called(reference: str) -> Any:
    make = resolve(reference, kind="dataset")
    try:
        return make()
    except Exception as error:
        raise DataError(
            f"dataset {reference}: calling it raised {type(error).__name__}: "
            f"{first_line(error)}; mend the callable"
        ) from error
