"""`diswot report`: a run as one page."""

from pathlib import Path

import click

from diswot.cli import _options as shared
from diswot.cli._runs import space_for
from diswot.cli._tables import print_json
from diswot.cli._terminal import say


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--space", help="By default the run's; package.module:Class for one of your own.")
@click.option(
    "--pictures/--no-pictures",
    default=None,
    help="Write each plot as PNG and SVG too; by default if matplotlib is installed.",
)
@shared.JSON
def report(run: Path, space: str | None, pictures: bool | None, as_json: bool) -> None:
    """Write RUN as one HTML page that loads nothing, RUN/report.html.

    Example: diswot report runs/search-1
    """
    from diswot.report import write_report

    written = write_report(run, space=space_for(run, space), pictures=pictures)
    if as_json:
        print_json({"page": str(written.page), "pictures": list(map(str, written.pictures))})
        return
    pictures_too = f" and {len(written.pictures)} pictures in {run / 'report'}"
    say(f"Wrote {written.page}{pictures_too if written.pictures else ''}")
    say("Next: open it in a browser; it needs no network")
