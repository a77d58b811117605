"""Write the options of a run as TOML, for `--config`."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from diswot.runs.folder import replace_content

CONFIG = "config.toml"
"""Name of the file with the options of a run."""

_DELETE = "\x7f"
"""The only control character that JSON does not escape although TOML requires it."""


def as_toml(values: Mapping[str, Any], *, title: str = "") -> str:
    """Return options as TOML; options without a value are listed in comments.

    Args:
        values: numbers, texts, booleans, lists of these or `None`, by name.
        title: text of a comment in the first line.

    Examples:
        >>> print(as_toml({"population": 5, "scorer": "nwot+params", "device": None}))
        population = 5
        scorer = "nwot+params"
        # device: not set
    """
    lines = [f"# {title}"] if title else []
    lines += [
        f"# {name}: not set" if value is None else f"{name} = {_literal(value)}"
        for name, value in values.items()
    ]
    return "\n".join(lines)


def _literal(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_literal, value))}]"
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    return json.dumps(str(value), ensure_ascii=False).replace(_DELETE, "\\u007f")


def write_config(folder: Path, command: str, values: Mapping[str, Any]) -> None:
    """Write the config file with which a run can be repeated.

    Args:
        folder: the run folder.
        command: the command, such as `search`.
        values: its options by name.
    """
    again = f"diswot {command} --config {CONFIG} --out ANOTHER_FOLDER repeats this"
    replace_content(folder / CONFIG, f"{as_toml(values, title=again)}\n".encode())
