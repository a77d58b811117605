"""Tables as they are committed: a CSV file, and a manifest that says how it was made."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import torch

from diswot.bench import EMBEDDED
from diswot.bench.tables import write_csv
from diswot.runs.folder import versions, write_json

RESULTS = Path(__file__).parent / "results"

TRUTHS = ("digits-s0", "digits-thin", "tiny-imagenet-mobile")
"""Ground truths that are part of the package."""


def folder_of(table: str) -> Path:
    """Return where a table is kept."""
    embedded = table in TRUTHS or table.startswith("correlation-")
    return EMBEDDED if embedded else RESULTS


def keep(table: str, rows: Sequence[Any], settings: Mapping[str, Any], started: datetime) -> None:
    """Write a table and how it was made.

    The seconds in the manifest are those since `started`: of a study that was resumed, those of
    its last run.

    Raises:
        click.ClickException: there are no rows; the table stays as it was.
    """
    folder = folder_of(table)
    if not rows:
        raise click.ClickException(f"there are no rows for {table}, so {folder} stays as it is")
    write_csv(folder / f"{table}.csv", rows)
    manifest = {
        **settings,
        "seconds": round((datetime.now(UTC) - started).total_seconds(), 1),
        "threads": torch.get_num_threads(),
        "versions": versions(),
    }
    write_json(folder / f"{table}.manifest.json", manifest)
