"""Rewrite the page of a run while it is running, from what its process writes."""

import time
from collections.abc import Callable
from pathlib import Path

from diswot.errors import RunFolderError
from diswot.options import takes_options
from diswot.report._api import PAGE, Report, contents_of, write_report
from diswot.report._page import write_page
from diswot.report._rendering import render
from diswot.runs import Activity, is_active, read_activity
from diswot.runs.folder import replace_file
from diswot.search import SearchResult, load_partial_run, load_run, read_manifest
from search_spaces import SearchSpace

SECONDS = 5
"""Time between two looks at the run, and between two loads of the page by a browser."""

SHARE = 10
"""The page takes at most one part in this many of a processor's time from the run."""


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
    run, last = Path(folder), None
    read_manifest(run)
    while True:
        activity, began = read_activity(run), time.process_time()
        if activity != last:
            _rewrite(run, activity, space)
            if changed is not None:
                changed(activity)
        if activity.ended:
            return _last(run, space, plots=plots)
        last = activity
        time.sleep(max(seconds, SHARE * (time.process_time() - began)))


def _last(run: Path, space: SearchSpace | None, *, plots: bool | None) -> Report:
    """Write the report of a run that has ended; of an unfinished search, keep the page."""
    if not (run / "result.json").exists():
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
    try:
        replace_file(run / PAGE, lambda path: path.write_text(page, "utf-8", "replace"))
    except FileNotFoundError:
        return  # a process that starts in the folder removes temporary files
    except OSError as error:
        raise RunFolderError(
            f"the report cannot be written into {run} ({error.strerror}): make room"
        ) from error


def _page(run: Path, activity: Activity, space: SearchSpace | None) -> str:
    refresh = None if activity.ended else SECONDS
    result = _result(run, space)
    if result is None:
        values = {"run_name": run.resolve().name, "activity": activity}
        return render("progress.html.j2", values, {}, refresh=refresh)
    return write_page(contents_of(result, run, activity), run, refresh=refresh)


def _result(run: Path, space: SearchSpace | None) -> SearchResult | None:
    if (run / "result.json").exists():
        return load_run(run, space=space)
    return load_partial_run(run, space=space)
