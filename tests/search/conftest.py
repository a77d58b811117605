"""Fixtures of search tests: quick searches and readers of their journals."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import diswot
from tests.search.spaces import Tiny

SMALL: dict[str, Any] = {"repeats": 1, "batch_size": 8, "population": 4, "generations": 2}


def search(**options: Any) -> diswot.SearchResult:
    """Search a few tiny networks."""
    teacher, space = options.pop("teacher", "resnet20"), options.pop("space", None) or Tiny()
    return diswot.search(teacher, space, **(SMALL | options))


def lines_of(folder: Path) -> list[bytes]:
    """Return the lines of a journal with their line breaks."""
    return (folder / "journal.jsonl").read_bytes().splitlines(keepends=True)


def entries_of(folder: Path) -> list[dict[str, Any]]:
    """Return the parsed lines of a journal."""
    return [json.loads(line) for line in lines_of(folder)]


def outcome_of(folder: Path) -> tuple[bytes, list[dict[str, Any]]]:
    """Return the parts of a run that must not depend on workers or interruptions."""
    passing = ("seconds", "worker", "crc32")
    known = [{k: v for k, v in e.items() if k not in passing} for e in entries_of(folder)]
    return (folder / "result.json").read_bytes(), sorted(known, key=lambda e: int(e["number"]))


def unfinished(folder: Path, lines: Sequence[bytes], source: Path) -> Path:
    """Make `folder` the run `source`, interrupted when its journal had these lines."""
    folder.mkdir(exist_ok=True)
    (folder / "manifest.json").write_bytes((source / "manifest.json").read_bytes())
    (folder / "journal.jsonl").write_bytes(b"".join(lines))
    return folder
