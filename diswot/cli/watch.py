"""`diswot watch`: the progress of a run in another process."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from diswot.cli._progress import displayed_progress
from diswot.cli._terminal import say
from diswot.progress import Step
from diswot.runs import Activity, Interrupted, watch_activity

_STOPPED = "no longer watching; the run is not affected"


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
def watch(run: Path) -> None:
    """Show how far RUN is until it ends, without disturbing its process.

    RUN is a folder of `diswot run`, `search` or `distill`.

    Example: diswot watch runs/run-1
    """
    activity = None
    try:
        with displayed_progress() as progress:
            for activity in watch_activity(run):
                for stage in activity.stages:
                    if stage.total:
                        progress(Step(stage.name, stage.done, stage.total, stage.note))
    except KeyboardInterrupt as stop:
        raise Interrupted(_STOPPED) from stop
    if activity is not None:
        _conclude(run, activity)


def _conclude(run: Path, activity: Activity) -> None:
    for stage in activity.stages:
        say(str(stage))
    named = shlex.quote(str(run))
    if activity.finished:
        say(f"Next: diswot report {named}")
    else:
        say(f"The run stopped before it finished. Next: diswot resume {named}")
