"""Make the embedded dataset `code-patterns`: patterns in functions of Python's standard library.

`python -m benchmarks.code_patterns` reads the sources of the Python that runs it and writes the
dataset, what it was made from, and the license; the same Python gives the same files.
"""

import ast
import gzip
import hashlib
import json
import shutil
import sysconfig
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from platform import python_version

import click

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


@dataclass(frozen=True)
class Function:
    """A function of the standard library.

    Attributes:
        tokens: its normalized tokens, of which those that decide the class are masked.
        label: its pattern, or `none`.
        group: SHA-256 of the file's path, which decides the split of all its functions.
    """

    tokens: str
    label: str
    group: str

    @property
    def split(self) -> str:
        """A fifth of the files is `test`, a tenth `val`."""
        tenth = int(self.group[:8], 16) % 10
        return "test" if tenth < 2 else "val" if tenth == 2 else "train"


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


def functions(library: Path) -> list[Function]:
    """Return functions with exactly one pattern, and functions without any, none of them twice."""
    results: dict[str, list[Function]] = {}
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
                text, label = " ".join(tokens), labels[0] if labels else "none"
                results.setdefault(text, []).append(Function(text, label, group))
    unique = [item[0] for item in results.values() if len({one.label for one in item}) == 1]
    unique.sort(key=lambda item: hashlib.sha256(item.tokens.encode()).digest())
    chosen: list[Function] = []
    for label in ("none", *PATTERNS):
        most = MOST_NONE if label == "none" else MOST
        chosen += [item for item in unique if item.label == label][:most]
    return chosen


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
    library = Path(sysconfig.get_path("stdlib"))
    result = functions(library)
    lines = (
        json.dumps(
            {"tokens": item.tokens, "label": item.label, "group": item.group, "split": item.split}
        )
        for item in result
    )
    content = gzip.compress("".join(f"{line}\n" for line in lines).encode(), mtime=0)
    out.mkdir(parents=True, exist_ok=True)
    (out / "code-patterns.jsonl.gz").write_bytes(content)
    splits = ("train", "val", "test")
    counts = Counter((item.label, item.split) for item in result)
    manifest = {
        "source": f"functions of the standard library of CPython {python_version()}",
        "license": "PSF License Agreement, see PYTHON-LICENSE.txt",
        "copyright": "Copyright © 2001-2023 Python Software Foundation; All Rights Reserved",
        "changes": "functions converted to tokens; names normalized, strings, numbers and "
        "comments dropped; types of exception handlers, default values, assert and raise masked",
        "functions": {
            label: {split: counts[label, split] for split in splits}
            for label in ("none", *PATTERNS)
        },
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    text = json.dumps(manifest, indent=2, ensure_ascii=False)
    (out / "code-patterns.manifest.json").write_text(f"{text}\n", encoding="utf-8")
    shutil.copyfile(library / "LICENSE.txt", out / "PYTHON-LICENSE.txt")
    click.echo(f"{len(result):,} functions, {len(content):,} bytes: {manifest['functions']}")


if __name__ == "__main__":
    main()
