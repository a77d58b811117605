"""Tables as they are committed: a CSV file, and a manifest that says how it was made."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import torch

from diswot.bench import EMBEDDED
from diswot.bench.record_store import RECORDS
from diswot.bench.tables import write_csv
from diswot.runs import RecordFile
from diswot.runs.folder import versions, write_json

RESULTS = Path(__file__).parent / "results"

TRUTHS = ("digits-s0", "digits-thin", "tiny-imagenet-mobile")
"""Ground truths that are part of the package."""


def folder_of(table: str) -> Path:
    """Return where a table is kept."""
    embedded = table in TRUTHS or table.startswith("correlation-")
    return EMBEDDED if embedded else RESULTS


def keep(
    table: str,
    rows: Sequence[Any],
    settings: Mapping[str, Any],
    started: datetime,
    *,
    work: Path | None = None,
) -> None:
    """Write a table and how it was made.

    The seconds in the manifest are those since `started`. Those of a study that is resumed from
    records are the sum of their `seconds`, so that they do not depend on the number of runs.

    Args:
        table: name of the table.
        rows: its rows.
        settings: settings of the study.
        started: start of this run.
        work: folder of the records, at any depth, of a study that can be resumed.

    Raises:
        click.ClickException: there are no rows; the table stays as it was.
    """
    folder = folder_of(table)
    if not rows:
        raise click.ClickException(f"there are no rows for {table}, so {folder} stays as it is")
    write_csv(folder / f"{table}.csv", rows)
    manifest = {
        **settings,
        **_seconds(started, work),
        "threads": torch.get_num_threads(),
        "versions": versions(),
    }
    write_json(folder / f"{table}.manifest.json", manifest)


def _seconds(started: datetime, work: Path | None) -> dict[str, Any]:
    """Return the seconds of a study, and the number of records that have none, if any."""
    paths = [] if work is None else sorted(work.rglob(RECORDS))
    records = [record for path in paths for record in RecordFile(path).read(dict)]
    if not records:
        return {"seconds": round((datetime.now(UTC) - started).total_seconds(), 1)}
    timed = [record["seconds"] for record in records if "seconds" in record]
    untimed = len(records) - len(timed)
    return {"seconds": round(sum(timed), 1)} | ({"untimed_records": untimed} if untimed else {})
