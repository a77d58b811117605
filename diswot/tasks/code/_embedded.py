"""Datasets of programs in the package."""

import gzip
from pathlib import Path

from diswot.tasks._json_lines import json_lines
from diswot.tasks.code._program import Program, Programs

EMBEDDED = Path(__file__).parent / "embedded"
FILE = "code-patterns.jsonl.gz"


def code_patterns(_root: Path | None = None) -> Programs:
    """Return functions of Python's standard library with one of three patterns, or none.

    The class of a function is decided by rules on its syntax tree: a handler of all exceptions
    (`broad-except`), a call of `eval`, `exec`, `compile`, `pickle`, `marshal` or a subprocess
    (`dynamic-call`), or `assert`. What decides it is masked in the functions of all classes. All
    functions of a file are in the same split.
    Made by `python -m benchmarks.code_patterns` from CPython 3.11, © 2001-2023 Python Software
    Foundation, under the PSF License Agreement, which lies next to it.
    """
    text = gzip.decompress((EMBEDDED / FILE).read_bytes()).decode()
    results: Programs = {}
    for _, row in json_lines(text, FILE, ("tokens", "label", "group", "split")):
        program = Program(tuple(row["tokens"].split()), row["label"])
        results.setdefault(row["split"], []).append(program)
    return results
