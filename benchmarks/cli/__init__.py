"""`diswot bench`: tables against ground truth."""

import inspect

import click

from diswot.cli import LazyGroup

__all__ = ["bench", "listing"]

_COMMANDS = {
    "correlation": "benchmarks.cli.correlation:correlation",
    "losses": "benchmarks.cli.losses:losses",
    "make-truth": "benchmarks.cli.make_truth:make_truth",
    "pairs": "benchmarks.cli.losses:pairs",
    "paper": "benchmarks.cli.paper:paper",
    "search": "benchmarks.cli.search:search",
    "speed": "benchmarks.cli.speed:speed",
}


@click.group(cls=LazyGroup, lazy=_COMMANDS)
def bench() -> None:
    """Measure how well scores rank students, what they cost, and make ground truths.

    Example: diswot bench correlation --truth digits-s0 --scorers diswot,nwot
    """


def listing() -> dict[str, str]:
    """Return the ground truths with a line each, for `diswot list benchmarks`."""
    from benchmarks.ground_truths import TRUTHS

    return {
        name: (inspect.getdoc(load) or "").splitlines()[0].removeprefix("Return the ")
        for name, load in TRUTHS.items()
    }
