"""`diswot resume`: what stopped goes on."""

from pathlib import Path
from typing import Any

import click

from diswot.cli import _options as shared
from diswot.cli._progress import shown_progress
from diswot.cli._search_options import settle_workers, worker_options
from diswot.cli._tables import print_json
from diswot.cli.run import print_run
from diswot.cli.search import print_search
from diswot.devices import check_alone
from diswot.distillation import is_unfinished
from diswot.errors import RunFolderError
from diswot.main_job import RunReport
from diswot.main_job import resume as go_on


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--generations", type=click.IntRange(min=0), help="More than the search was begun with."
)
@shared.again_options
@worker_options
@shared.DEVICE
@shared.JSON
def resume(run: Path, as_json: bool, **chosen: Any) -> None:
    """Go on with a run from exactly where it stopped.

    What comes out is what would have come out had it never stopped. A search that ended
    goes on with more --generations.

    Example: diswot resume runs/search-1 --generations 20
    """
    check_alone("diswot resume")
    if is_unfinished(run) and not (run / "manifest.json").exists():
        raise RunFolderError(
            f"{run} is a training that was stopped, not a run: give its diswot distill again, "
            f"with --out {run}, and it goes on"
        )
    settle_workers(chosen, run)
    with shown_progress() as progress:
        result = go_on(run, progress=progress, **chosen)
    if as_json:
        print_json({"folder": str(run)} | result.to_json())
    elif isinstance(result, RunReport):
        print_run(result)
    else:
        print_search(result, run)
