"""Options of scores and searches, and what follows from them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diswot.cli import _options as shared
from diswot.cli._declared import flagged, names, option
from diswot.cli._numbers import Count
from diswot.devices import find_device
from diswot.options import SearchOptions

if TYPE_CHECKING:
    from diswot.search import Budget

MOST_WORKERS = 8
"""Of those that nobody asked for."""

worker_options = shared.options(
    option(SearchOptions, "workers", default=None, show_default=False, envvar="DISWOT_WORKERS"),
    option(SearchOptions, "cluster"),
)

SCORER = option(SearchOptions, "scorer")

scoring_options = shared.options(
    *(
        option(SearchOptions, name)
        for name in ("combination", "repeats", "batch_size", "teacher_state", "threads")
    )
)

search_options = shared.options(
    SCORER,
    *(
        flagged(flag, type=kind, help=said, group="Budget")
        for flag, kind, said in (
            ("--max-params", Count(), "Parameters at most, e.g. 300k."),
            ("--max-macs", Count(), "Multiply-adds of one input at most, e.g. 20M."),
            ("--max-latency-ms", float, "Milliseconds of one forward pass at most."),
            ("--max-memory", Count(), "Peak bytes of activations of one input at most."),
        )
    ),
    option(SearchOptions, "latency"),
    option(SearchOptions, "latency_column"),
    option(SearchOptions, "engine"),
    option(SearchOptions, "population"),
    option(SearchOptions, "generations"),
    option(SearchOptions, "objectives", callback=names),
    worker_options,
)


def taken_budget(chosen: dict[str, Any]) -> Budget | None:
    """Take the limits out of the options chosen; `None` if there are none."""
    from diswot.search import Budget

    budget = Budget(
        params=chosen.pop("max_params"),
        macs=chosen.pop("max_macs"),
        latency_ms=chosen.pop("max_latency_ms"),
        memory=chosen.pop("max_memory"),
    )
    return None if budget == Budget() else budget


def settle_workers(chosen: dict[str, Any], run: Path | None = None) -> None:
    """Choose how many workers there are where that was left open.

    Args:
        chosen: the options; `workers` is set.
        run: a run folder, whose settings are those that were not chosen.
    """
    from diswot.search import read_manifest

    if chosen["workers"] is not None:
        return
    used: dict[str, Any] = {}
    if run is not None:
        used = read_manifest(run)["settings"]
    known = used | {name: value for name, value in chosen.items() if value is not None}
    alone = known.get("cluster") is not None or find_device(known.get("device")) != "cpu"
    free = (os.cpu_count() or 1) // max(1, known.get("threads", 1))
    chosen["workers"] = 1 if alone else max(1, min(MOST_WORKERS, free))
