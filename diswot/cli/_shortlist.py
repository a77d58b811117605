"""The option `--shortlist` and the table of successive halving."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diswot.cli._declared import option
from diswot.cli._tables import counted, print_table
from diswot.options import JobOptions

if TYPE_CHECKING:
    from diswot.training import Halving

SHORTLIST = option(JobOptions, "shortlist")


def print_halving(halving: Halving) -> None:
    """Print the validation results of each round, and the gain over the top-scoring student."""
    rounds = halving.rungs
    rows = [
        [
            name,
            *(rung.trainings[name].val.brief if name in rung.trainings else "" for rung in rounds),
        ]
        for name in rounds[0].trainings
    ]
    if halving.best == halving.first:
        bought = f"The top-scoring student, {halving.first}, is also the best of the shortlist."
    else:
        bought = (
            f"{halving.best} was {_points(halving)} ahead of the top-scoring student, "
            f"{halving.first}, in the last round that had both. This figure is optimistic, since "
            f"it also selected the student."
        )
    print_table(
        f"Shortlist by successive halving: validation {halving.training.val.name}, top-scoring "
        "student first",
        ["network", *(counted(rung.epochs, "epoch") for rung in rounds)],
        rows,
        caption=f"{bought} {counted(halving.epochs, 'epoch')} in all.",
    )


def _points(halving: Halving) -> str:
    unit = halving.training.val.unit
    if unit == "%":
        return f"{100 * halving.gain:.1f} points"
    return f"{halving.gain:.3g} {unit}".rstrip()
