"""GLUE scores of encoders of FlexiBERT's space."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from diswot.bench.ground_truths._download import DOWNLOADS, fetch
from diswot.bench.ground_truths._ground_truth import GroundTruth, Vector
from diswot.bench.ground_truths._table import check_count, check_varies, read_records
from diswot.csv_table import one_line
from diswot.errors import DataError, first_line
from search_spaces import FlexiBERTArchitecture, FlexiBERTSpace

ROWS = 250
TARGETS = ("glue", "cola", "mnli", "mrpc", "qnli", "qqp", "rte", "sst", "sts")
"""The mean GLUE score, then the tasks of GLUE."""


def flexibert_truth(root: Path, *, mirror: str | None = None) -> GroundTruth:
    """Return the GLUE scores of 249 encoders of FlexiBERT's space.

    Source: the table that Serianni and Kalita, "Training-free Neural Architecture Search for RNNs
    and Transformers" (ACL 2023), released. Scorers see sentences of Python's documentation. Of
    two records of one encoder the first is taken.
    """
    path = fetch(DOWNLOADS["flexibert"], root, mirror=mirror)
    records = read_records(path)
    check_count(path, len(records), expected=ROWS)
    result = _first_of_each(path, records)
    return GroundTruth(
        name="flexibert",
        space=FlexiBERTSpace(),
        space_name="flexibert",
        data="python-docs",
        architectures=tuple(result),
        targets={target: _scores(path, result, target) for target in TARGETS},
        depths=np.array([float(len(arch.layers)) for arch in result]),
        task="text",
    )


def _first_of_each(
    path: Path, records: Sequence[Mapping[str, Any]]
) -> dict[FlexiBERTArchitecture, tuple[int, Mapping[str, Any]]]:
    """Return architecture → (number from 1, record); of duplicates the first."""
    space, result = FlexiBERTSpace(), dict[FlexiBERTArchitecture, tuple[int, Mapping[str, Any]]]()
    for number, record in enumerate(records, start=1):
        try:
            result.setdefault(space.from_record(record), (number, record))
        except ValueError as error:
            raise DataError(
                f"{path}, record {number}: {one_line(first_line(error))}: copy it again"
            ) from error
    return result


def _scores(
    path: Path, found: Mapping[FlexiBERTArchitecture, tuple[int, Mapping[str, Any]]], target: str
) -> Vector:
    values = []
    for number, record in found.values():
        scores = record.get("scores")
        value = scores.get(target) if isinstance(scores, Mapping) else None
        if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
            raise DataError(
                f"{path}, record {number}: expected a finite number as {target}, but got "
                f"{one_line(repr(value))}: copy it again"
            )
        values.append(value)
    column = np.array(values, dtype=np.float64)
    check_varies(column, f"{path}: {target}")
    return column
