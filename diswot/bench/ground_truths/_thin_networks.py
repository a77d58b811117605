"""Thin networks of digits, which are part of the package."""

from pathlib import Path

from diswot.bench import EMBEDDED
from diswot.bench.ground_truths._ground_truth import GroundTruth
from diswot.bench.ground_truths._residual_networks import IMAGES
from diswot.bench.ground_truths._table import accuracies, check_count, read_embedded
from diswot.search import find_space

THIN = EMBEDDED / "digits-thin.csv"
"""The table of `digits-thin`."""

TARGETS = ("distilled", "vanilla", "short")
"""Its columns of accuracies; `short` is on the validation split, after the first epochs."""


def digits_thin_truth(
    root: Path,  # noqa: ARG001  (a loader: it is in the package, wherever the data root is)
    *,
    mirror: str | None = None,  # noqa: ARG001
    path: Path = THIN,
) -> GroundTruth:
    """320 thin networks of 1,000 to 20,000 parameters on digits, alone and distilled; embedded.

    Source: `python -m benchmarks.thin_truth`; means over 3 seeds.
    """
    table = read_embedded("digits-thin", path, command="python -m benchmarks.thin_truth")
    check_count(path, len(table.rows))
    space = find_space("thin", IMAGES)
    return GroundTruth(
        name="digits-thin",
        space=space,
        space_name="thin",
        data="digits",
        architectures=table.architectures(table.column("arch"), space),
        targets={name: accuracies(table, name) for name in TARGETS},
        params=table.numbers("params"),
    )
