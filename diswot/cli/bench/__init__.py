"""`diswot bench`: benchmarks against ground truths."""

import click

from diswot.cli import LazyGroup

__all__ = ["bench"]

_COMMANDS = {
    "correlation": "diswot.cli.bench.correlation:correlation",
    "discover": "diswot.cli.bench.discover:discover",
    "losses": "diswot.cli.bench.losses:losses",
    "make-truth": "diswot.cli.bench.make_truth:make_truth",
    "pairs": "diswot.cli.bench.losses:pairs",
    "paper": "diswot.cli.bench.paper:paper",
    "search": "diswot.cli.bench.search:search",
    "speed": "diswot.cli.bench.speed:speed",
}


@click.group(cls=LazyGroup, lazy=_COMMANDS)
def bench() -> None:
    """Measure how well scores rank students and what they cost; create ground truths.

    Example: diswot bench correlation --truth digits-s0 --scorers diswot,nwot
    """
