"""`diswot bench`: tables against ground truth."""

import click

from benchmarks.cli.correlation import correlation
from benchmarks.cli.make_truth import make_truth
from benchmarks.cli.paper import paper
from benchmarks.cli.speed import speed

__all__ = ["bench"]


@click.group()
def bench() -> None:
    """Measure how well scores rank students, what they cost, and make ground truths.

    Example: diswot bench correlation --truth digits-s0 --scorers diswot,nwot
    """


for command in (correlation, paper, speed, make_truth):
    bench.add_command(command)
