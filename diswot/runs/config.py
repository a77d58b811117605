"""The options of a run as TOML, which `--config` reads."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from diswot.runs.folder import replace_content

CONFIG = "config.toml"
"""The file of a run folder that repeats the run."""

_DELETE = "\x7f"
"""The only control character that JSON writes as it is and TOML does not."""


def as_toml(values: Mapping[str, Any], *, title: str = "") -> str:
    """Return options as TOML; those without a value are named in comments.

    Args:
        values: numbers, texts, booleans, lists of them and `None`, by name.
        title: of the first line, a comment.

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
    """Write the options that repeat what is in a folder."""
    again = f"diswot {command} --config {CONFIG} --out ANOTHER_FOLDER repeats this"
    replace_content(folder / CONFIG, f"{as_toml(values, title=again)}\n".encode())
