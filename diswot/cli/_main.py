"""The command group and the handling of errors."""

import os
import sys
import traceback
import warnings
from collections.abc import Sequence
from pathlib import Path

import click

from diswot.cli._lazy import LazyGroup
from diswot.cli._terminal import make_readable, say
from diswot.devices import is_first
from diswot.errors import DiswotError, PluginWarning, RunError, first_line
from diswot.options import declared, nearest
from diswot.printable import printable
from diswot.runs import Interrupted

INTERRUPTED = "interrupted: run the command again"


_FORMATTED = warnings.formatwarning

_RENAMED = {
    "--accumulate": "--gradient-accumulation",
    "--clip": "--max-grad-norm",
    "--no-pictures": "--no-plots",
    "--optimiser": "--optimizer",
    "--pictures": "--plots",
}
"""Old option name → current name; old names still work, with a note."""

_COMMANDS = {
    "bench": "diswot.cli.bench:bench",
    "compare": "diswot.cli.compare:compare",
    "distill": "diswot.cli.distill:distill",
    "export": "diswot.cli.export:export",
    "init": "diswot.cli.init:init",
    "latency": "diswot.cli.latency:latency",
    "list": "diswot.cli.listing:list_",
    "predict": "diswot.cli.predict:predict",
    "report": "diswot.cli.report:report",
    "resume": "diswot.cli.resume:resume",
    "run": "diswot.cli.run:run",
    "score": "diswot.cli.score:score",
    "search": "diswot.cli.search:search",
    "teacher": "diswot.cli.teacher:teacher",
    "watch": "diswot.cli.watch:watch",
}


@click.group(
    cls=LazyGroup,
    lazy=_COMMANDS,
    added="diswot.commands",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="diswot")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def cli(debug: bool) -> None:
    """Which small network should I distill my teacher into?

    Start with `diswot run`. Without options, it searches, distills and exports a student
    for a small teacher on built-in data.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 success, 1 run failed, 2 invalid use, 130 interrupted."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    given = [_renamed(word) for word in given]
    if not is_first():  # under torchrun only rank 0 prints
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        make_readable(stream)
    if "" not in sys.path:
        sys.path.append("")  # package.module:name is looked for in the current folder too, last
    warnings.formatwarning = _formatted
    try:
        # Standalone mode is off, so that errors get one line and our exit status.
        cli.main([word for word in given if word != "--debug"], "diswot", standalone_mode=False)
    except (click.exceptions.Exit, click.exceptions.NoArgsIsHelpError) as ending:
        if isinstance(ending, click.exceptions.NoArgsIsHelpError):
            ending.show()
        sys.exit(ending.exit_code)
    except (KeyboardInterrupt, click.Abort) as stop:
        known = stop if isinstance(stop, Interrupted) else stop.__cause__
        _end(130, str(known) if isinstance(known, Interrupted) else INTERRUPTED, debug)
    except click.NoSuchOption as error:
        _end(2, f"{_no_such(error)} (diswot COMMAND --help lists the options)", debug)
    except click.ClickException as error:
        _end(2, f"{error.format_message()} (diswot COMMAND --help lists the options)", debug)
    except RunError as error:
        _end(1, str(error), debug)
    except DiswotError as error:
        _end(2, str(error), debug)
    except OSError as error:
        _end(
            1,
            f"{error.strerror or first_line(error)}: {error.filename or 'the run stopped'}",
            debug,
        )


def _renamed(word: str) -> str:
    """Replace an old option name, with a note on standard error."""
    flag, equals, value = word.partition("=")
    if flag not in _RENAMED:
        return word
    if is_first():
        say(f"diswot: note: {flag} is now {_RENAMED[flag]}", err=True)
    return _RENAMED[flag] + equals + value


def _no_such(error: click.NoSuchOption) -> str:
    """Return the message for an unknown option: what it belongs to, or the most similar one."""
    asked = error.option_name.lstrip("-").replace("-", "_")
    if owner := _owner(asked):
        return f"unknown option {error.option_name}: it is an option of {owner}"
    params = error.ctx.command.get_params(error.ctx) if error.ctx else []
    flags = {param.name: param.opts[0] for param in params if isinstance(param, click.Option)}
    near = nearest(asked, [name for name in flags if name])
    guess = f": did you mean {flags[near]}?" if near in flags else ""
    return f"unknown option {error.option_name}{guess}"


def _owner(name: str) -> str:
    """Return the tasks and methods that have an option of their own: `--method supernet`."""
    from diswot.methods import METHODS  # imports torch, which only this message needs
    from diswot.tasks import TASKS

    owners = [
        f"{flag} {known}"
        for flag, registry in (("--task", TASKS), ("--method", METHODS))
        for known in registry
        if name in declared(registry.named(known).options)
    ]
    return " or ".join(owners)


def _end(status: int, message: str, debug: bool) -> None:
    if debug:
        say(traceback.format_exc(), err=True)
    if is_first():
        say("diswot: " + _in_one_line(message), err=True)
    sys.exit(status)


def _formatted(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    line: str | None = None,
) -> str:
    """Format `PluginWarning` as one line, like errors, and other warnings as Python does."""
    if issubclass(category, PluginWarning):
        return printable(f"diswot: warning: {_in_one_line(str(message))}\n")
    return _FORMATTED(message, category, filename, lineno, line)


def _in_one_line(message: str) -> str:
    """Join the lines of `message`, except a last line with a caret and the line it points to."""
    lines = message.splitlines()
    pointed = lines[-2:] if lines and lines[-1].strip() == "^" else []
    text = " ".join(" ".join(lines[: len(lines) - len(pointed)]).split())
    return "\n".join([text, *pointed])
