"""Rewrite the page of a run while it is running, from what its process writes."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from diswot.errors import RunFolderError
from diswot.options import takes_options
from diswot.report._api import PAGE, Report, contents_of, write_report, writing_report
from diswot.report._page import write_page
from diswot.report._rendering import render, save_page
from diswot.runs import RESULT, Activity, is_active, watch_activity
from diswot.search import SearchResult, load_partial_run, load_run, read_manifest
from search_spaces import SearchSpace

SECONDS = 5
"""Time between two looks at the run, and between two loads of the page by a browser."""


@takes_options
def follow_run(
    folder: str | Path,
    *,
    space: SearchSpace | None = None,
    plots: bool | None = None,
    seconds: float = SECONDS,
    changed: Callable[[Activity], None] | None = None,
) -> Report:
    """Write the page of a run again and again until the run ends; browsers reload it.

    The process of the run is not disturbed: its files are only read, without its lock. The
    page is replaced atomically. At the end, the report is written as by `write_report`, or, if
    the run stopped before its search finished, the page as it is.

    Args:
        folder: the run folder.
        space: the search space, if it is not a built-in one.
        plots: whether to write plots as files at the end, see `write_report`.
        seconds: time between two looks at the run.
        changed: called with the state of the run whenever the page was rewritten.

    Returns:
        Paths of the written files.

    Raises:
        RunFolderError: the folder has no run, is damaged, or cannot be written.
    """
    run = Path(folder)
    read_manifest(run)
    for activity in watch_activity(run, seconds=seconds):
        _rewrite(run, activity, space)
        if changed is not None:
            changed(activity)
    if not (run / RESULT).exists():
        return Report(run / PAGE, ())
    return write_report(run, space=space, plots=plots)


def _rewrite(run: Path, activity: Activity, space: SearchSpace | None) -> None:
    try:
        page = _page(run, activity, space)
    except RunFolderError:
        # A file may be missing for a moment while the run replaces its results.
        if is_active(run) is not True:
            raise
        return
    # A process that starts in the folder removes temporary files, also the page's.
    with writing_report(run), suppress(FileNotFoundError):
        save_page(run / PAGE, page)


def _page(run: Path, activity: Activity, space: SearchSpace | None) -> str:
    refresh = None if activity.ended else SECONDS
    result = _result(run, space)
    if result is None:
        values = {"run_name": run.resolve().name, "activity": activity}
        return render("progress.html.j2", values, {}, refresh=refresh)
    return write_page(contents_of(result, run, activity), run, refresh=refresh)


def _result(run: Path, space: SearchSpace | None) -> SearchResult | None:
    if (run / RESULT).exists():
        return load_run(run, space=space)
    return load_partial_run(run, space=space)
