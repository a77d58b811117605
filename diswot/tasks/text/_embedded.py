"""Text datasets in the package."""

import gzip
from pathlib import Path

from diswot.tasks.text._reading import Splits, parse_lines

EMBEDDED = Path(__file__).parent / "embedded"

LENGTH = 32
"""Default length in tokens of `python-docs`; more than three quarters are not longer."""


def python_docs(_root: Path | None = None) -> Splits:
    """Return sentences of docstrings of 12 packages of Python's standard library.

    The class of a sentence is its package. All sentences of a docstring are in the same split.
    Made by `python -m benchmarks.python_docs` from CPython 3.11, © 2001-2023 Python Software
    Foundation, under the PSF License Agreement, which lies next to it.
    """
    path = EMBEDDED / "python-docs.jsonl.gz"
    return parse_lines(gzip.decompress(path.read_bytes()).decode(), path.name)
