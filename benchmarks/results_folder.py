"""Tables as they are committed: a CSV file, and a manifest that says how it was made."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import torch

from benchmarks.tables import write_csv
from diswot.run_folder import versions, write_json

RESULTS = Path(__file__).parent / "results"


def keep(table: str, rows: Sequence[Any], settings: Mapping[str, Any], started: datetime) -> None:
    """Write a table and how it was made.

    Raises:
        click.ClickException: there are no rows; the table stays as it was.
    """
    if not rows:
        raise click.ClickException(f"there are no rows for {table}, so {RESULTS} stays as it is")
    write_csv(RESULTS / f"{table}.csv", rows)
    manifest = {
        **settings,
        "seconds": round((datetime.now(UTC) - started).total_seconds(), 1),
        "threads": torch.get_num_threads(),
        "versions": versions(),
    }
    write_json(RESULTS / f"{table}.manifest.json", manifest)
