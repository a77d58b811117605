"""Options of a command in a TOML file."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import click

from diswot.cli._numbers import Count
from diswot.errors import OptionError, first_line
from diswot.files import read_file
from diswot.options import nearest

COMMANDS = ("run", "search", "distill", "score")
"""Commands that take `--config`; each has a TOML table of its name."""

LARGEST = 1_000_000
"""Maximum size of a file of options, in bytes."""

_KEY = re.compile(r"""^\s*["']?([\w-]+)["']?\s*=""")
_TABLE = re.compile(r"^\s*\[\s*([\w-]+)\s*\]")


@dataclass(frozen=True)
class Config:
    """Options that were read from a TOML file.

    Attributes:
        path: path of the file.
        values: option name in Python (with underscores) → value.
        lines: option name → line number in the file, from 1.
    """

    path: str
    values: Mapping[str, Any]
    lines: Mapping[str, int]

    def error(self, name: str, message: str) -> OptionError:
        """Return an error whose message starts with the file and the option's line."""
        return OptionError(f"{self.path}, line {self.lines.get(name, 1)}: {message}")


def read_config(path: str, command: str) -> Config:
    """Read the options of a command from a TOML file: top-level keys and the command's table.

    Raises:
        OptionError: the file is missing, is not TOML, or has a table that is not a command.
    """
    import tomllib  # `--help` needs none of it

    try:
        text = read_file(path, at_most=LARGEST).decode()
        content = tomllib.loads(text)
    except OSError as error:
        raise OptionError(f"--config {path}: {error.strerror or first_line(error)}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise OptionError(
            f"--config {path} cannot be read as TOML: {first_line(error)}; fix that line"
        ) from error
    # TOML parsers give no line numbers, so that messages need a second, textual pass.
    tables = {name: item for name, item in content.items() if isinstance(item, dict)}
    lines = _lines(text, command)
    result = Config(path, {}, lines | _table_lines(text))
    for name in tables:
        if name not in COMMANDS:
            near = nearest(name, COMMANDS)
            guess = f"did you mean [{near}]?" if near else f"there are {', '.join(COMMANDS)}"
            raise result.error(
                name, f"[{name}] is not a command that reads options from a file: {guess}"
            )
    flat = {name: item for name, item in content.items() if name not in tables}
    said = {**flat, **tables.get(command, {})}
    return Config(path, {name.replace("-", "_"): item for name, item in said.items()}, lines)


def checked(config: Config, params: Iterable[click.Option]) -> dict[str, Any]:
    """Check the values of a file and return them for click's `default_map`.

    Raises:
        OptionError: an option does not exist or its value has the wrong type; the message
            names the line.
    """
    known = {param.name or "": param for param in params}
    for name, value in config.values.items():
        if name not in known:
            near = nearest(name, known)
            guess = f"did you mean {near}?" if near else f"there are {', '.join(sorted(known))}"
            raise config.error(name, f"unknown option {name}: {guess}")
        if (expected := _unfit(known[name], value)) is not None:
            raise config.error(name, f"Expected {name} to be {expected}, but got {value!r}")
    return {
        name: ",".join(value) if isinstance(value, list) else value
        for name, value in config.values.items()
    }


def _unfit(param: click.Option, value: Any) -> str | None:
    """Return a description of the expected type, or `None` if the value has it."""
    if param.is_flag:
        return None if isinstance(value, bool) else "true or false"
    kinds: dict[type, tuple[str, tuple[type, ...]]] = {
        Count: ('a whole number, or text such as "300k"', (int, str)),
        click.IntRange: ("a whole number", (int,)),
        click.FloatRange: ("a number", (int, float)),
        click.types.FloatParamType: ("a number", (int, float)),
    }
    words, types = next(
        (known for kind, known in kinds.items() if isinstance(param.type, kind)),
        ("a string in quotes", (str,)),
    )
    if param.callback is not None and isinstance(value, list):  # names, separated by commas
        return None if all(isinstance(item, str) for item in value) else "a list of strings"
    return None if isinstance(value, types) and not isinstance(value, bool) else words


def _lines(text: str, command: str) -> dict[str, int]:
    """Return option → line number, for top-level keys and the command's table."""
    table, result = command, dict[str, int]()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _TABLE.match(line):
            table = header[1]
        elif table == command and (key := _KEY.match(line)):
            result[key[1].replace("-", "_")] = number
    return result


def _table_lines(text: str) -> dict[str, int]:
    lines = enumerate(text.splitlines(), start=1)
    return {header[1]: number for number, line in lines if (header := _TABLE.match(line))}
