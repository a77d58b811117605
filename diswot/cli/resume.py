"""`diswot resume`: resume a stopped run or training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from diswot.cli import _options as shared
from diswot.cli import distill, teacher
from diswot.cli._progress import tracked_progress
from diswot.cli._search_options import settle_workers, worker_options
from diswot.cli._tables import print_json
from diswot.cli._terminal import say
from diswot.cli.run import print_report
from diswot.cli.search import print_search
from diswot.devices import check_alone
from diswot.errors import DiswotError, OptionError, RunFolderError

if TYPE_CHECKING:
    from diswot.training import TrainingManifest

TRAININGS = {"distill": distill.resume_training, "teacher train": teacher.resume_training}
"""Command → the function that resumes its trainings."""


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@shared.again_options
@worker_options
@shared.DEVICE
@shared.TRACK
@shared.JSON
def resume(run: Path, track: Sequence[str] | None, as_json: bool, **chosen: Any) -> None:
    """Resume an interrupted run, search or training.

    The result is the same as without the interruption. With --generations, a finished search is
    extended. The trackers of the run are used again, unless --track names others.

    Example: diswot resume runs/search-1 --generations 20
    """
    from diswot.pipeline import resume as resume_run
    from diswot.pipeline import whole_run_of
    from diswot.runs import MANIFEST
    from diswot.search import SearchResult
    from diswot.training import is_unfinished, read_training_manifest

    manifest = read_training_manifest(run)
    display = tracked_progress(track or _trackers_of(run), run)
    if manifest is not None:
        _check_training(run, manifest, chosen)
        TRAININGS[manifest.command](run, manifest, chosen, display, as_json=as_json)
        return
    # Trainings can run in several processes, but runs and searches cannot.
    check_alone("diswot resume")
    if is_unfinished(run) and not (run / MANIFEST).exists():
        raise RunFolderError(
            f"{run} is a training that was started from Python, or is part of a run: make the same "
            "call again, or resume the run"
        )
    if whole_run_of(run) is None:
        settle_workers(chosen, run)
    elif chosen["workers"] is None:
        del chosen["workers"]  # as before
    with display as progress:
        result = resume_run(run, progress=progress, **chosen)
    if as_json:
        print_json({"folder": str(run)} | result.to_json())
    elif isinstance(result, SearchResult):
        print_search(result, run)
    else:
        print_report(result)


def _trackers_of(run: Path) -> list[str]:
    """Return the trackers of a run that can be used here; the others are named in a note."""
    from diswot.tracking import find_trackers, run_ids

    results: list[str] = []
    for name in run_ids(run):
        try:
            results += find_trackers([name])
        except DiswotError as error:  # no reason not to resume the run
            say(f"diswot: note: resumed without the tracker {name}: {error}", err=True)
    return results


def _check_training(run: Path, manifest: TrainingManifest, chosen: Mapping[str, Any]) -> None:
    """Check that the training is unfinished, and that no search option is given."""
    from diswot.training import TRAINING_MANIFEST, is_unfinished

    for name in ("generations", "scorer", "cluster"):
        if chosen[name] is not None:
            raise OptionError(
                f"--{name} applies to searches, but {run} is a training: leave it out"
            )
    if manifest.command not in TRAININGS:
        raise RunFolderError(
            f"{run / TRAINING_MANIFEST} is damaged (command is {manifest.command!r}): restore it "
            "from a copy"
        )
    if not is_unfinished(run):
        raise RunFolderError(f"the training in {run} has finished: see its report.json")
