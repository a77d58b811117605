"""Make the embedded dataset `code-patterns`: patterns in functions of Python's standard library.

`python -m benchmarks.code_patterns` reads the sources of the Python that runs it and writes the
dataset, what it was made from, and the license; the same Python gives the same files.
"""

import ast
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import click

from benchmarks.standard_library import LIBRARY, Example, unambiguous, write_dataset
from diswot.tasks.code import EMBEDDED, normalized

MOST = 400
"""Functions of a class."""

MOST_NONE = 800
"""Functions without a pattern."""

TOKENS = range(20, 129)
"""Permitted numbers of tokens of a function."""

_BUILT_INS = ("eval", "exec", "compile")
_MODULES = ("subprocess", "pickle", "marshal")
_OF_OS = ("system", "popen")


def has_broad_except(node: ast.AST) -> bool:
    """Return whether a node is a handler of all exceptions."""
    broad = ("Exception", "BaseException")
    if not isinstance(node, ast.ExceptHandler):
        return False
    return node.type is None or getattr(node.type, "id", "") in broad


def has_dynamic_call(node: ast.AST) -> bool:
    """Return whether a node calls code or commands that are made at run time."""
    if not isinstance(node, ast.Call):
        return False
    if isinstance(node.func, ast.Name):
        return node.func.id in _BUILT_INS
    owner = getattr(getattr(node.func, "value", None), "id", "")
    return owner in _MODULES or (owner == "os" and getattr(node.func, "attr", "") in _OF_OS)


PATTERNS: Mapping[str, Callable[[ast.AST], bool]] = {
    "assert": lambda node: isinstance(node, ast.Assert),
    "broad-except": has_broad_except,
    "dynamic-call": has_dynamic_call,
}
"""Rules by the names of their classes."""

_SIMILAR: tuple[Callable[[ast.AST], bool], ...] = (
    lambda node: isinstance(node, ast.ExceptHandler),
    lambda node: isinstance(node, ast.arguments) and bool(node.defaults),
    lambda node: isinstance(node, ast.Raise),
)
"""Functions without a pattern must have one of these."""


def functions(library: Path) -> list[Example]:
    """Return functions with exactly one pattern, and functions without any, none of them twice.

    Their texts are normalized tokens, of which those that decide the class are masked. All
    functions of a file are in the same split.
    """
    unique = unambiguous(_examples(library))
    chosen: list[Example] = []
    for label in ("none", *PATTERNS):
        most = MOST_NONE if label == "none" else MOST
        chosen += [item for item in unique if item.label == label][:most]
    return chosen


def _examples(library: Path) -> Iterator[Example]:
    for path in sorted(library.rglob("*.py")):
        name = path.relative_to(library)
        if "site-packages" in name.parts:
            continue
        group = hashlib.sha256(str(name).encode()).hexdigest()
        for node in _functions(path):
            labels = [label for label, rule in PATTERNS.items() if any(map(rule, ast.walk(node)))]
            similar = any(any(map(rule, ast.walk(node))) for rule in _SIMILAR)
            if len(labels) > 1 or not (labels or similar):
                continue
            tokens = normalized(ast.unparse(node), "python", masked=True)
            if len(tokens) in TOKENS:
                yield Example(" ".join(tokens), labels[0] if labels else "none", group)


def _functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, UnicodeDecodeError, ValueError):  # files that test the parser
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@click.command()
@click.option("--out", type=click.Path(path_type=Path), default=EMBEDDED, show_default=True)
def main(out: Path) -> None:
    """Write the functions, their manifest and the license."""
    examples = functions(LIBRARY)
    counts = Counter((item.label, item.split) for item in examples)
    rows = (
        {"tokens": item.text, "label": item.label, "group": item.group, "split": item.split}
        for item in examples
    )
    about = {
        "changes": "functions converted to tokens; names normalized, strings, numbers and "
        "comments dropped; types of exception handlers, default values, assert and raise masked",
        "functions": {
            label: {split: counts[label, split] for split in ("train", "val", "test")}
            for label in ("none", *PATTERNS)
        },
    }
    write_dataset(out, "code-patterns", rows, source="functions", about=about)


if __name__ == "__main__":
    main()
