"""Limits that keep the code readable: lengths of files, functions and names of tests."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
MOST_LINES = 300
MOST_OF_A_FUNCTION = 45
MOST_OF_A_NAME = 60

LIBRARY = [
    path
    for room in ("search_spaces", "diswot", "benchmarks")
    for path in (ROOT / room).rglob("*.py")
]
TESTS = list((ROOT / "tests").rglob("test_*.py"))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the lines from a function's signature to its end, without its docstring."""
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function) is not None:
        lines -= (first.end_lineno or first.lineno) - first.lineno + 1
    return lines


def test_files_are_short() -> None:
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in LIBRARY}
    assert not {str(path): count for path, count in lines.items() if count > MOST_LINES}


def test_functions_are_short() -> None:
    assert not {
        f"{path}, {each.name}": length(each)
        for path in LIBRARY
        for each in functions(path)
        if length(each) > MOST_OF_A_FUNCTION
    }


def test_names_of_tests_are_short() -> None:
    assert not [
        f"{path}, {each.name}"
        for path in TESTS
        for each in functions(path)
        if each.name.startswith("test_") and len(each.name) > MOST_OF_A_NAME
    ]
