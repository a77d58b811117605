"""`diswot report`: write a run as one HTML page."""

from collections.abc import Callable
from pathlib import Path

import click

from diswot.cli import _options as shared
from diswot.cli._declared import flagged
from diswot.cli._runs import space_for
from diswot.cli._tables import print_json
from diswot.cli._terminal import say
from diswot.runs import Activity, Interrupted


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@flagged("--space", help="By default the run's; package.module:Class for one of your own.")
@click.option(
    "--plots/--no-plots",
    default=None,
    help="Also write each plot as SVG and PNG; by default SVG, and PNG if it can be rendered.",
)
@click.option(
    "--live", is_flag=True, help="Rewrite the page until the run ends; browsers reload it."
)
@shared.JSON
def report(run: Path, space: str | None, plots: bool | None, live: bool, as_json: bool) -> None:
    """Write the report of RUN, a self-contained HTML page RUN/report.html.

    Example: diswot report runs/search-1
    """
    from diswot.report import follow_run, write_report

    chosen = space_for(run, space)
    if live:
        page = run / "report.html"
        try:
            written = follow_run(run, space=chosen, plots=plots, changed=_follower(page))
        except KeyboardInterrupt as stop:
            raise Interrupted(f"{page} is no longer rewritten; the run is not affected") from stop
    else:
        written = write_report(run, space=chosen, plots=plots)
    if as_json:
        print_json({"page": str(written.page), "plots": list(map(str, written.plots))})
        return
    plots_too = f" and {len(written.plots)} plots in {run / 'report'}"
    say(f"Wrote {written.page}{plots_too if written.plots else ''}")
    say("Next: open it in a browser; it needs no network")


def _follower(page: Path) -> Callable[[Activity], None]:
    """Return a function that names the page when it was written for the first time."""
    first = True

    def changed(activity: Activity) -> None:
        nonlocal first
        if first and not activity.ended:
            say(f"{page} follows the run until it ends: open it in a browser", err=True)
        first = False

    return changed
