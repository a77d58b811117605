"""`diswot bench discover`: evolution of scores from accuracies."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from diswot.cli import Whole, displayed_progress, names, options, print_json, print_table, say
from diswot.cli._declared import flagged
from diswot.cli.bench._options import OUT, Sample
from diswot.runs.folder import next_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from diswot.bench.discovery import LeftOutRow

CAPTION = (
    "Kendall's τ on networks whose accuracies the formulas were not evolved on: mean over the "
    "seeds, and the smallest and largest. 95 %: bootstrap interval over the networks, mean of its "
    "ends over the seeds. seen: mean τ on the networks that the formulas were evolved on."
)


@click.command()
@click.option(
    "--truths",
    callback=names,
    default="digits-s0,digits-thin",
    show_default=True,
    help="Two or more names of `diswot list benchmarks`; each is left out once.",
)
@click.option("--csv", help="A CSV file of your own instead, with a column `arch`.")
@click.option("--column", help="Its column of accuracies.")
@flagged("--space", help="Its search space: a name or package.module:Class.")
@flagged("--data", help="The dataset that its networks were trained on.")
@click.option(
    "--sample",
    type=Sample(),
    default="100",
    show_default=True,
    help="Networks of each ground truth, drawn at random, or all.",
)
@click.option("--seeds", type=Whole(min=1, max=1_000), default=3, show_default=True)
@click.option("--population", type=Whole(min=4, max=100_000), default=100, show_default=True)
@click.option("--generations", type=Whole(min=0, max=100_000), default=25, show_default=True)
@options.DATA_ROOT
@options.SEED
@options.DEVICE
@OUT
@options.JSON
def discover(out: Path | None, as_json: bool, **chosen: Any) -> None:
    """Evolve a score from accuracies, and measure it on accuracies that were left out.

    Genetic programming combines quantities of single layers to formulas, which are summed over
    the layers of a network. With --truths, each ground truth is left out once; with --csv, a
    random third of your networks, once per seed. Interrupted, the same command with the same
    --out resumes the measurements.

    Example: diswot bench discover --csv mine.csv --column acc --space mine:Students --data digits
    """
    from diswot.bench.discovery import DiscoverySettings
    from diswot.bench.discovery import discover as run_discovery

    settings = DiscoverySettings(**{**chosen, "truths": tuple(chosen["truths"])})
    out = out or next_folder(Path("runs"), "discover")
    with displayed_progress() as progress:
        found = run_discovery(settings, out, progress=progress)
    if as_json:
        rows = [vars(row) for row in found.rows]
        print_json({"folder": str(out), "formula": found.formula, "rows": rows})
        return
    print_table(
        "Left-out networks",
        ["left out", "score", "networks", "Kendall τ", "95 %", "seen"],
        _cells(found.rows),
        caption=CAPTION,
    )
    say(f"Evolved on all networks, summed over layers: {found.formula}")
    say("q, r: effective dimensions of input and output channels; t: kernel positions; P: output")
    say("positions; c: output channels.")
    say(f"Next: PYTHONPATH={out} diswot search --scorer discovered:discovered")


def _cells(rows: Sequence[LeftOutRow]) -> list[list[str]]:
    groups: dict[tuple[str, str], list[LeftOutRow]] = {}
    for row in rows:
        groups.setdefault((row.left_out, row.score), []).append(row)
    return [
        [left_out, score, str(group[0].networks), _mean(group), _interval(group), _seen(group)]
        for (left_out, score), group in groups.items()
    ]


def _mean(rows: Sequence[LeftOutRow]) -> str:
    values = [row.kendall for row in rows]
    mean = f"{sum(values) / len(values):.3f}"
    return mean if len(values) == 1 else f"{mean} ({min(values):.3f} … {max(values):.3f})"


def _interval(rows: Sequence[LeftOutRow]) -> str:
    low, high = (sum(getattr(row, name) for row in rows) / len(rows) for name in ("low", "high"))
    return f"{low:.3f} … {high:.3f}"


def _seen(rows: Sequence[LeftOutRow]) -> str:
    values = [row.seen for row in rows if row.seen is not None]
    return f"{sum(values) / len(values):.3f}" if values else "–"
