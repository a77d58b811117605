"""`diswot bench speed`: run times of scorers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from diswot.cli import Whole, displayed_progress, options, print_json, print_table, say
from diswot.cli.bench._options import OUT, scorers_option
from diswot.runs.folder import new_folder, next_folder, versions, write_json

if TYPE_CHECKING:
    from diswot.bench.speed import Timing

TITLES = {
    "procedures": "Per NAS-Bench-201 cell, CIFAR-10, batch 64",
    "scorers": "Each scorer alone, building included",
    "batch": "ResNet-20 scored with `diswot`",
    "depth": "Blocks per stage, scored with `diswot`",
    "workers": "Whole measurements, start of the processes included",
}


@click.command()
@scorers_option("all")
@click.option(
    "--architectures",
    type=Whole(min=1, max=1_000_000),
    default=30,
    show_default=True,
    help="Cells that each scorer is timed on.",
)
@options.DATA_ROOT
@options.SEED
@OUT
@options.JSON
def speed(out: Path | None, as_json: bool, **chosen: Any) -> None:
    """Time scorers against a bare forward pass in the same run.

    Example: diswot bench speed --scorers diswot,nwot,snip --data-root data
    """
    import torch

    from diswot.bench.speed import SpeedSettings
    from diswot.bench.speed import speed as measure_speed
    from diswot.bench.tables import write_csv

    out = new_folder(out or next_folder(Path("runs"), "speed"))
    with displayed_progress() as progress:
        timings = measure_speed(SpeedSettings(**chosen), progress)
    write_csv(out / "speed.csv", timings)
    settings = {k: v for k, v in chosen.items() if k != "data_root"}
    settings |= {"threads": torch.get_num_threads()}
    write_json(out / "speed.manifest.json", {"settings": settings, "versions": versions()})
    if as_json:
        print_json({"timings": [vars(timing) for timing in timings]})
        return
    for table, title in TITLES.items():
        print_table(title, ["name", "ms", "ratio"], _rows(timings, table))
    say("Ratios are to a bare forward pass of the same networks; of workers, to one worker.")
    say(f"Next: the table is in {out / 'speed.csv'}")


def _rows(timings: list[Timing], table: str) -> list[list[str]]:
    return [
        [timing.what, f"{timing.ms:.1f}", f"{timing.ratio:.2f}"]
        for timing in timings
        if timing.table == table
    ]
