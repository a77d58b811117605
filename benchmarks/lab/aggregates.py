"""Scores from raw quantities: `student_fit_1`, its parts, baselines, and tried variants."""

from collections.abc import Callable, Iterator, Mapping
from itertools import product
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmarks.lab.journals import Journal
from benchmarks.lab.quantities import REACHES, SIZES

Matrix: TypeAlias = NDArray[np.float64]
Aggregate: TypeAlias = Callable[[Journal], Matrix]
"""(journal) → (n, R) scores of the n architectures in each repeat."""


def aggregate(reach: str | None, size: str | None, alignment: str | None = "either") -> Aggregate:
    """Return the sum of the logarithms of up to three quantities, 1 + which where it can be 0.

    The alignment `either` is the larger of that with the teacher at the same depth and that
    with the images.
    """

    def scores(journal: Journal) -> Matrix:
        parts = [
            np.log1p(np.nan_to_num(journal.terms[f"reach_{reach}"])) if reach else 0.0,
            journal.log(f"size_{size}") if size else 0.0,
            np.log1p(_alignment(journal, alignment)) if alignment else 0.0,
        ]
        return np.asarray(sum(parts))

    return scores


def _alignment(journal: Journal, name: str) -> Matrix:
    if name == "either":
        return np.maximum(journal.terms["alignment_mean"], journal.terms["alignment_pixels"])
    return journal.terms[f"alignment_{name}"]


FORM = ("rank_entropy", "sides_1/2")
"""Width and size of `student_fit_1`."""
STUDENT_FIT = aggregate(*FORM)
BASELINES: Mapping[str, Aggregate] = {
    "params": lambda journal: np.log(journal.params)[:, None],
    "size_ln": lambda journal: journal.terms["size_ln"],
    "trainable_layers": lambda journal: journal.terms["trainable_layers"],
    "az_expressivity": lambda journal: journal.terms["reach_entropy"],
}
TERMS: Mapping[str, Aggregate] = {
    "filled_width": aggregate(FORM[0], None, None),
    "root_size": aggregate(None, FORM[1], None),
    "teacher_alignment": aggregate(None, None),
}
PARTS: Mapping[str, Aggregate] = {
    "student_fit_1": STUDENT_FIT,
    "without the teacher": aggregate(*FORM, None),
    "without filled_width": aggregate(None, FORM[1]),
    "without root_size": aggregate(FORM[0], None),
    **TERMS,
}
CONTROLS: Mapping[str, Aggregate] = {
    "depth_alignment": aggregate(None, None, "mean"),
    "pixel_alignment": aggregate(None, None, "pixels"),
}
"""What takes the place of `teacher_alignment`."""


def grid() -> Iterator[tuple[str, Aggregate]]:
    """Yield (name, form) of every tried variant."""
    for reach, size in product(REACHES, SIZES):
        yield f"{reach} · {size}", aggregate(reach, size)
