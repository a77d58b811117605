"""Datasets made from Python's standard library, as they are embedded in the package."""

import gzip
import hashlib
import json
import shutil
import sysconfig
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from platform import python_version
from typing import Any

import click

LIBRARY = Path(sysconfig.get_path("stdlib"))


@dataclass(frozen=True)
class Example:
    """An example with a label.

    Attributes:
        text: what is classified.
        label: its class.
        group: SHA-256 of what decides the split of all its examples, in hexadecimal digits.
    """

    text: str
    label: str
    group: str

    @property
    def split(self) -> str:
        """A fifth of the groups is `test`, a tenth `val`."""
        tenth = int(self.group[:8], 16) % 10
        return "test" if tenth < 2 else "val" if tenth == 2 else "train"


def unambiguous(examples: Iterable[Example]) -> list[Example]:
    """Return the examples in a random but fixed order, of equal texts the first.

    Texts that differ only in case are equal. Texts that have several labels are left out.
    """
    by_text: dict[str, list[Example]] = {}
    for example in examples:
        by_text.setdefault(example.text.lower(), []).append(example)
    unique = [same[0] for same in by_text.values() if len({item.label for item in same}) == 1]
    return sorted(unique, key=lambda item: hashlib.sha256(item.text.encode()).digest())


def write_dataset(
    out: Path,
    name: str,
    rows: Iterable[Mapping[str, Any]],
    *,
    source: str,
    about: Mapping[str, Any],
) -> None:
    """Write a dataset, its manifest and the license; the same Python gives the same files.

    Args:
        out: the folder.
        name: name of the dataset.
        rows: the examples as JSON values.
        source: what the examples were made from, such as `docstrings`.
        about: what else the manifest says.
    """
    lines = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)
    content = gzip.compress(lines.encode(), mtime=0)
    manifest = {
        "source": f"{source} of the standard library of CPython {python_version()}",
        "license": "PSF License Agreement, see PYTHON-LICENSE.txt",
        "copyright": "Copyright © 2001-2023 Python Software Foundation; All Rights Reserved",
        **about,
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{name}.jsonl.gz").write_bytes(content)
    text = json.dumps(manifest, indent=2, ensure_ascii=False)
    (out / f"{name}.manifest.json").write_text(f"{text}\n", encoding="utf-8")
    shutil.copyfile(LIBRARY / "LICENSE.txt", out / "PYTHON-LICENSE.txt")
    click.echo(f"{name}: {lines.count(chr(10)):,} examples, {len(content):,} bytes")
