"""A hundred vision transformers of AutoFormer's space."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from diswot.bench.ground_truths._download import DOWNLOADS, fetch
from diswot.bench.ground_truths._ground_truth import GroundTruth, Vector
from diswot.bench.ground_truths._table import check_count, check_varies, read_records
from diswot.csv_table import one_line
from diswot.errors import DataError, first_line
from search_spaces import Architecture, AutoFormerSpace

COLUMNS = {"vanilla": "cifar100_vanilla_acc", "distilled": "cifar100_kd_acc"}
ROWS = 100

NAME_224 = "autoformer-224"
SIDE = 224
"""Height and width of the images that the networks were trained on."""


def autoformer_truth(root: Path, *, mirror: str | None = None) -> GroundTruth:
    """A hundred AutoFormer vision transformers on CIFAR-100, trained alone and distilled.

    Source: the tables that the authors of Auto-Prox (Wei et al., AAAI 2024) released.
    Scorers see images of 32 pixels in patches of 4.
    """
    return _truth(root, mirror)


def autoformer_224_truth(root: Path, *, mirror: str | None = None) -> GroundTruth:
    """The same vision transformers at 224 pixels in patches of 16, as they were trained."""
    space = AutoFormerSpace(image_size=SIDE, patch_size=16)
    result = _truth(root, mirror)
    return replace(result, name=NAME_224, space=space, space_name=NAME_224, image_size=SIDE)


def _truth(root: Path, mirror: str | None) -> GroundTruth:
    path = fetch(DOWNLOADS["autoformer"], root, mirror=mirror)
    records = read_records(path)
    check_count(path, len(records), expected=ROWS)
    architectures = _architectures(path, records)
    return GroundTruth(
        name="autoformer",
        space=AutoFormerSpace(),
        space_name="autoformer",
        data="cifar100",
        architectures=architectures,
        targets={target: _accuracies(path, records, key) for target, key in COLUMNS.items()},
        depths=np.array([float(len(arch.heads)) for arch in architectures]),
    )


def _architectures(path: Path, records: Sequence[Mapping[str, Any]]) -> tuple[Architecture, ...]:
    space = AutoFormerSpace()
    first: dict[Architecture, int] = {}
    for number, record in enumerate(records, start=1):
        try:
            before = first.setdefault(space.from_record(record), number)
        except ValueError as error:
            raise DataError(
                f"{path}, record {number}: {one_line(first_line(error))}: copy it again"
            ) from error
        if before != number:
            raise DataError(
                f"{path}: records {before} and {number} are the same architecture: "
                f"keep one of the two"
            )
    return tuple(first)


def _accuracies(path: Path, records: Sequence[Mapping[str, Any]], key: str) -> Vector:
    values = [record.get(key) for record in records]
    for number, value in enumerate(values, start=1):
        if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
            raise DataError(
                f"{path}, record {number}: expected a finite number as {key}, but got "
                f"{one_line(repr(value))}: copy it again"
            )
    column = np.array(values, dtype=np.float64)
    check_varies(column, f"{path}: {key}")
    return column
