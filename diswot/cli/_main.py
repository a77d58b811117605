"""The group of commands, and what becomes of errors."""

import os
import sys
import traceback
from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import click

from diswot.cli.distill import distill
from diswot.cli.export import export
from diswot.cli.latency import latency
from diswot.cli.listing import list_
from diswot.cli.report import report
from diswot.cli.resume import resume
from diswot.cli.run import run
from diswot.cli.score import score
from diswot.cli.search import search
from diswot.cli.teacher import teacher
from diswot.devices import is_first
from diswot.errors import DiswotError, RunError, first_line

INTERRUPTED = "interrupted; what was evaluated is kept: `diswot resume RUN` goes on from there"


class _Commands(click.Group):
    """The commands of this package, and those that installed packages add.

    A package adds a command by an entry point in the group `diswot.commands`.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *_added()})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        own = super().get_command(ctx, cmd_name)
        if own is None and cmd_name in _added():
            added: click.Command = _added()[cmd_name].load()
            return added
        return own


def _added() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group="diswot.commands")}


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="diswot")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def cli(debug: bool) -> None:
    """Which small network should I distil my teacher into?

    Start with `diswot run`: with no option at all it searches, distils and exports a
    student for a small teacher on data that comes with it.
    """


for command in (run, search, resume, distill, export, report, score, teacher, latency, list_):
    cli.add_command(command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 1 the run failed, 2 a mistake, 130 interrupted."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    if not is_first():  # all that is to be said is said by the first
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    sys.path.insert(0, "")  # package.module:name is looked for in the current folder too
    try:
        cli.main([word for word in given if word != "--debug"], "diswot", standalone_mode=False)
    except (click.exceptions.Exit, click.exceptions.NoArgsIsHelpError) as ending:
        if isinstance(ending, click.exceptions.NoArgsIsHelpError):
            ending.show()
        sys.exit(ending.exit_code)
    except (KeyboardInterrupt, click.Abort):
        _end(130, INTERRUPTED, debug)
    except click.ClickException as error:
        _end(2, f"{error.format_message()} (diswot COMMAND --help lists the options)", debug)
    except DiswotError as error:
        _end(2, str(error), debug)
    except RunError as error:
        _end(1, str(error), debug)
    except OSError as error:
        _end(
            1,
            f"{error.strerror or first_line(error)}: {error.filename or 'the run stopped'}",
            debug,
        )


def _end(status: int, message: str, debug: bool) -> None:
    if debug:
        traceback.print_exc()
    if is_first():
        click.echo("diswot: " + _in_one_line(message), err=True)
    sys.exit(status)


def _in_one_line(message: str) -> str:
    """Return `message` in one line; a caret stays under the place in the line above it."""
    lines = message.splitlines()
    pointed = lines[-2:] if lines and lines[-1].strip() == "^" else []
    said = " ".join(" ".join(lines[: len(lines) - len(pointed)]).split())
    return "\n".join([said, *pointed])
