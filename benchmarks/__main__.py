"""Make the tables under `benchmarks/results/`."""

import csv
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from benchmarks.correlation import correlation
from benchmarks.documentation import DOCS, RESULTS
from benchmarks.nas_bench_201_costs import check_costs
from benchmarks.plots import plot_scores
from benchmarks.speed import speed
from diswot.cli import shown_progress
from diswot.data import data_root
from diswot.run_folder import versions, write_json

TABLES = ("correlation", "speed", "costs", "plots")


@click.command()
@click.option("--data-root", "root", type=click.Path(path_type=Path), help="Or DISWOT_DATA.")
@click.option("--sample", default=500, show_default=True, help="Cells of NAS-Bench-201 to score.")
@click.option("--out", type=click.Path(path_type=Path), default=RESULTS, show_default=False)
@click.argument("tables", nargs=-1, type=click.Choice(TABLES))
def main(root: Path | None, sample: int, out: Path, tables: tuple[str, ...]) -> None:
    """Make all tables, or those named."""
    place = data_root(root)
    out.mkdir(parents=True, exist_ok=True)
    with shown_progress() as progress:
        for table in tables or TABLES:
            started = datetime.now(UTC)
            settings: dict[str, Any] = {}
            match table:
                case "correlation":
                    settings = {"sample": sample, "seed": 0, "batch_size": 64}
                    rows: Sequence[Any] = correlation(place, progress, sample=sample)
                case "speed":
                    settings = {"architectures": 60, "seed": 0, "batch_size": 64}
                    rows = [speed(place, progress)]
                case "costs":
                    rows = [check_costs(place, progress)]
                case _:
                    plot_scores(place, progress, DOCS / "images")
                    continue
            _write(out, table, rows)
            seconds = round((datetime.now(UTC) - started).total_seconds(), 1)
            manifest = {"settings": settings, "seconds": seconds, "versions": versions()}
            write_json(out / f"{table}.manifest.json", manifest)


def _write(out: Path, table: str, rows: Sequence[Any]) -> None:
    """Write records as CSV, numbers to six digits."""
    with (out / f"{table}.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(asdict(rows[0])))
        writer.writeheader()
        for row in rows:
            writer.writerow(
                {k: f"{v:.6g}" if isinstance(v, float) else v for k, v in asdict(row).items()}
            )
    click.echo((out / f"{table}.csv").read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
