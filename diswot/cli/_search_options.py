"""Options of scoring and searching, and their default number of workers."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diswot.cli import _options as shared
from diswot.cli._declared import names, option
from diswot.cli._numbers import Count
from diswot.devices import find_device
from diswot.options import BudgetOptions, SearchOptions, declared

if TYPE_CHECKING:
    from diswot.search import Budget

MOST_WORKERS = 8
"""Maximum of the default number of workers."""

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
        option(BudgetOptions, name, type=Count() if limit.kind is int else float)
        for name, limit in declared(BudgetOptions).items()
    ),
    option(SearchOptions, "latency"),
    option(SearchOptions, "latency_column"),
    option(SearchOptions, "engine"),
    option(SearchOptions, "population"),
    option(SearchOptions, "generations"),
    option(SearchOptions, "objectives", callback=names),
    option(SearchOptions, "trainings"),
    option(SearchOptions, "training_epochs"),
    option(SearchOptions, "train_budget"),
    worker_options,
)


def taken_budget(chosen: dict[str, Any]) -> Budget | None:
    """Remove the budget options from `chosen` and return the budget; `None` without limits."""
    from diswot.search import Budget

    limits = {name: chosen.pop(name) for name in declared(BudgetOptions)}
    budget = Budget(**{name.removeprefix("max_"): limit for name, limit in limits.items()})
    return None if budget == Budget() else budget


def settle_workers(chosen: dict[str, Any], run: Path | None = None) -> None:
    """Set `chosen["workers"]` to its default if it is `None`.

    Args:
        chosen: options by name; changed in place.
        run: run folder whose settings replace options that are `None`.
    """
    from diswot.search import read_manifest

    if chosen["workers"] is not None:
        return
    used: dict[str, Any] = {}
    if run is not None:
        used = read_manifest(run)["settings"]
    known = used | {name: value for name, value in chosen.items() if value is not None}
    # A cluster or a GPU is driven by one process; on a CPU each worker gets its threads.
    alone = known.get("cluster") is not None or find_device(known.get("device")) != "cpu"
    free = (os.cpu_count() or 1) // max(1, known.get("threads", 1))
    chosen["workers"] = 1 if alone else max(1, min(MOST_WORKERS, free))
