"""What commands ask and tell of shortlists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diswot.cli._declared import option
from diswot.cli._tables import print_table
from diswot.options import JobOptions

if TYPE_CHECKING:
    from diswot.training import Halving

SHORTLIST = option(JobOptions, "shortlist")


def print_halving(halving: Halving) -> None:
    """Print what each round found, and what the shortlist bought."""
    rounds = halving.rungs
    rows = [
        [
            name,
            *(
                f"{rung.trainings[name].val.rate:.1%}".rstrip("%") if name in rung.trainings else ""
                for rung in rounds
            ),
        ]
        for name in rounds[0].trainings
    ]
    if halving.best == halving.first:
        bought = f"The best-scored student, {halving.first}, is also the best of the shortlist."
    else:
        bought = (
            f"{halving.best} was {100 * halving.gain:.1f} points ahead of the best-scored student, "
            f"{halving.first}, in the last round that had both; the choice flatters that figure."
        )
    print_table(
        "Shortlist by successive halving: validation accuracy in %, best-scored student first",
        ["network", *(f"{rung.epochs} epochs" for rung in rounds)],
        rows,
        caption=f"{bought} {halving.epochs} epochs in all.",
    )
