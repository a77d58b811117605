"""Make the embedded dataset `python-docs`: sentences of docstrings of Python's standard library.

`python -m benchmarks.python_docs` reads the sources of the Python that runs it and writes the
dataset, what it was made from, and the license; the same Python gives the same files.
"""

import ast
import gzip
import hashlib
import json
import re
import shutil
import sysconfig
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from platform import python_version

import click

from diswot.tasks.text import EMBEDDED

CLASSES: Mapping[str, str] = {
    "asyncio": "asyncio",
    "decimal": "_pydecimal.py",
    "distutils": "distutils",
    "email": "email",
    "http": "http",
    "idlelib": "idlelib",
    "importlib": "importlib",
    "logging": "logging",
    "tkinter": "tkinter",
    "turtle": "turtle.py",
    "unittest": "unittest",
    "xml": "xml",
}
"""Packages, by the names of their classes."""

MOST = 400
"""Sentences of a class."""

WORDS = range(5, 41)
"""Permitted numbers of words in a sentence."""

LEAST_LETTERS = 0.8
"""Share of letters and spaces in a sentence; code has fewer."""

_PARAGRAPH = re.compile(r"\n\s*\n")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")
_DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Sentence:
    """A sentence of a docstring.

    Attributes:
        text: the sentence.
        label: the package.
        docstring: SHA-256 of the docstring, which decides the split of all its sentences.
    """

    text: str
    label: str
    docstring: str

    @property
    def split(self) -> str:
        """A fifth of the docstrings is `test`, a tenth `val`."""
        tenth = int(self.docstring[:8], 16) % 10
        return "test" if tenth < 2 else "val" if tenth == 2 else "train"


def sentences(library: Path) -> list[Sentence]:
    """Return up to 400 sentences of each class, none of them twice.

    A sentence that several packages have is left out.
    """
    results: dict[str, list[Sentence]] = {}
    for label, package in CLASSES.items():
        for docstring in _docstrings(library / package):
            digest = hashlib.sha256(docstring.encode()).hexdigest()
            for text in _sentences(docstring):
                results.setdefault(text.lower(), []).append(Sentence(text, label, digest))
    unique = [item[0] for item in results.values() if len({one.label for one in item}) == 1]
    unique.sort(key=lambda item: hashlib.sha256(item.text.encode()).digest())
    by_class = {label: [item for item in unique if item.label == label] for label in CLASSES}
    return [item for own in by_class.values() for item in own[:MOST]]


def _docstrings(package: Path) -> Iterator[str]:
    for path in [package] if package.is_file() else sorted(package.rglob("*.py")):
        if {"test", "tests", "idle_test"} & set(path.parts):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, _DOCUMENTED) and (docstring := ast.get_docstring(node)):
                yield docstring


def _sentences(docstring: str) -> Iterator[str]:
    for paragraph in _PARAGRAPH.split(docstring):
        if ">>>" in paragraph:
            continue
        for text in _SENTENCE_END.split(" ".join(paragraph.split())):
            letters = sum(item.isalpha() or item == " " for item in text)
            if len(text.split()) in WORDS and letters >= LEAST_LETTERS * len(text):
                yield text


@click.command()
@click.option("--out", type=click.Path(path_type=Path), default=EMBEDDED, show_default=True)
def main(out: Path) -> None:
    """Write the sentences, their manifest and the license."""
    library = Path(sysconfig.get_path("stdlib"))
    result = sentences(library)
    lines = (
        json.dumps(
            {"text": item.text, "label": item.label, "split": item.split}, ensure_ascii=False
        )
        for item in result
    )
    content = gzip.compress("".join(f"{line}\n" for line in lines).encode(), mtime=0)
    out.mkdir(parents=True, exist_ok=True)
    (out / "python-docs.jsonl.gz").write_bytes(content)
    splits = [item.split for item in result]
    manifest = {
        "source": f"docstrings of the standard library of CPython {python_version()}",
        "license": "PSF License Agreement, see PYTHON-LICENSE.txt",
        "copyright": "Copyright © 2001-2023 Python Software Foundation; All Rights Reserved",
        "changes": "docstrings cut into sentences, each on one line",
        "sentences": {split: splits.count(split) for split in ("train", "val", "test")},
        "classes": list(CLASSES),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    text = json.dumps(manifest, indent=2, ensure_ascii=False)
    (out / "python-docs.manifest.json").write_text(f"{text}\n", encoding="utf-8")
    shutil.copyfile(library / "LICENSE.txt", out / "PYTHON-LICENSE.txt")
    click.echo(f"{len(result):,} sentences, {len(content):,} bytes: {manifest['sentences']}")


if __name__ == "__main__":
    main()
