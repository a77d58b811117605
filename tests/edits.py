"""Changes of files in run folders with valid checksums, as an attacker would make them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from diswot.runs import CHECKSUM, line_with_checksum
from diswot.runs.folder import read_json


def edit(path: Path, change: Callable[[Any], object]) -> None:
    """Change the JSON object in a file."""
    content = read_json(path)
    change(content)
    path.write_text(json.dumps(content))


def replace_text(path: Path, *pairs: tuple[str, str]) -> None:
    """Replace text in a journal, or in the JSON object of a file."""
    text = path.read_text()
    for old, new in pairs:
        text = text.replace(old, new)
    if path.suffix != ".jsonl":
        content = json.loads(text)
        content.pop("sha256", None)
        path.write_text(json.dumps(content))
        return
    entries = [json.loads(line) for line in text.splitlines()]
    for entry in entries:
        del entry[CHECKSUM]
    path.write_bytes(b"".join(map(line_with_checksum, entries)))
