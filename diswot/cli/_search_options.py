"""Options of scores and searches, and what follows from them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from diswot.cli import _options as shared
from diswot.cli._numbers import Count
from diswot.devices import find_device
from diswot.options import COMBINATIONS, DEFAULT_SCORER, ENGINES, TEACHER_STATES

if TYPE_CHECKING:
    from diswot.search import Budget

_F = TypeVar("_F", bound=Callable[..., Any])

MOST_WORKERS = 8
"""Of those that nobody asked for."""

worker_options = shared.options(
    click.option(
        "--workers",
        type=click.IntRange(min=1),
        envvar="DISWOT_WORKERS",
        help="Processes; by default one for each core, up to eight. The result is the same.",
    ),
    click.option(
        "--cluster",
        help="Address of a Dask scheduler (tcp://host:8786), whose workers evaluate.",
    ),
)


def scorer_option(default: str) -> Callable[[_F], _F]:
    """Return the option that names what candidates are scored by."""
    return click.option(
        "--scorer",
        default=default,
        show_default=True,
        help="A name of `diswot list scorers`, several joined with +, or logrank(a,b,…).",
    )


scoring_options = shared.options(
    click.option(
        "--combination",
        type=click.Choice(COMBINATIONS),
        help="How a scorer's terms become one score; by default as the scorer says.",
    ),
    click.option(
        "--repeats",
        type=click.IntRange(min=1),
        default=3,
        show_default=True,
        help="Initialisations and batches per score.",
    ),
    click.option(
        "--batch-size",
        type=click.IntRange(min=2),
        default=64,
        show_default=True,
        help="Images per scored batch.",
    ),
    click.option(
        "--teacher-state",
        type=click.Choice(TEACHER_STATES),
        help="Score against the teacher at random initialisation or with its weights; "
        "by default as the scorer is made for.",
    ),
    click.option(
        "--threads",
        type=click.IntRange(min=1),
        default=1,
        show_default=True,
        help="Of each score; with another number its last digits differ.",
    ),
)

search_options = shared.options(
    scorer_option(DEFAULT_SCORER),
    click.option("--max-params", type=Count(), help="Parameters at most, e.g. 300k."),
    click.option("--max-macs", type=Count(), help="Multiply-adds of one input at most, e.g. 20M."),
    click.option("--max-latency-ms", type=float, help="Milliseconds of one forward pass at most."),
    click.option(
        "--max-memory", type=Count(), help="Peak bytes of activations of one input at most."
    ),
    click.option(
        "--latency",
        help="Where milliseconds come from: `measured`, a table (.csv), or what "
        "`diswot latency calibrate` wrote (.json).",
    ),
    click.option("--latency-column", help="Which column of a table of latencies."),
    click.option(
        "--engine",
        type=click.Choice(list(ENGINES)),
        default="evolution",
        show_default=True,
        help="How candidates are proposed.",
    ),
    click.option(
        "--population",
        type=click.IntRange(min=1),
        default=20,
        show_default=True,
        help="Candidates per generation.",
    ),
    click.option(
        "--generations",
        type=click.IntRange(min=0),
        default=10,
        show_default=True,
        help="Generations after the first, which is random.",
    ),
    click.option(
        "--objectives",
        callback=shared.names,
        help="What nsga2 trades off: score and any of params, macs, latency_ms, memory; "
        "by default score,params.",
    ),
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
        manifest = read_manifest(run)
        used = {**manifest["settings"], "latency": manifest.get("latency")}
    known = used | {name: value for name, value in chosen.items() if value is not None}
    alone = (
        known.get("cluster") is not None
        or known.get("latency") == "measured"
        or find_device(known.get("device")) != "cpu"
    )
    free = (os.cpu_count() or 1) // max(1, known.get("threads", 1))
    chosen["workers"] = 1 if alone else max(1, min(MOST_WORKERS, free))
