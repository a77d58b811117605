"""`diswot bench`: tables against ground truth."""

import inspect

import click

from benchmarks.cli.correlation import correlation
from benchmarks.cli.losses import losses, pairs
from benchmarks.cli.make_truth import make_truth
from benchmarks.cli.paper import paper
from benchmarks.cli.search import search
from benchmarks.cli.speed import speed
from benchmarks.ground_truths import TRUTHS

__all__ = ["bench", "listing"]


@click.group()
def bench() -> None:
    """Measure how well scores rank students, what they cost, and make ground truths.

    Example: diswot bench correlation --truth digits-s0 --scorers diswot,nwot
    """


for command in (correlation, search, losses, pairs, paper, speed, make_truth):
    bench.add_command(command)


def listing() -> dict[str, str]:
    """Return the ground truths with a line each, for `diswot list benchmarks`."""
    return {
        name: (inspect.getdoc(load) or "").splitlines()[0].removeprefix("Return the ")
        for name, load in TRUTHS.items()
    }
