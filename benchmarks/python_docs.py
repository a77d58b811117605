"""Make the embedded dataset `python-docs`: sentences of docstrings of Python's standard library.

`python -m benchmarks.python_docs` reads the sources of the Python that runs it and writes the
dataset, what it was made from, and the license; the same Python gives the same files.
"""

import ast
import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from benchmarks.standard_library import LIBRARY, Example, unambiguous, write_dataset
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


def sentences(library: Path) -> list[Example]:
    """Return up to 400 sentences of each class, none of them twice.

    A sentence that several packages have is left out.
    """
    unique = unambiguous(
        Example(text, label, hashlib.sha256(docstring.encode()).hexdigest())
        for label, package in CLASSES.items()
        for docstring in _docstrings(library / package)
        for text in _sentences(docstring)
    )
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
    examples = sentences(LIBRARY)
    splits = [item.split for item in examples]
    write_dataset(
        out,
        "python-docs",
        ({"text": item.text, "label": item.label, "split": item.split} for item in examples),
        source="docstrings",
        about={
            "changes": "docstrings cut into sentences, each on one line",
            "sentences": {split: splits.count(split) for split in ("train", "val", "test")},
            "classes": list(CLASSES),
        },
    )


if __name__ == "__main__":
    main()
