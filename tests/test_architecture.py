"""Imports point one way: down the list of rooms."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = (
    "search_spaces",
    "diswot.files",
    "diswot.errors",
    "diswot.copies",
    "diswot.options",
    "diswot.plugins",
    "diswot.output",
    "diswot.csv_table",
    "diswot.costs",
    "diswot.activations",
    "diswot.layers",
    "diswot.precision",
    "diswot.taps",
    "diswot.layout",
    "diswot.probe",
    "diswot.similarity",
    "diswot.distillation.losses",
    "diswot.data",
    "diswot.latency",
    "diswot.tasks",
    "diswot.teachers",
    "diswot.students",
    "diswot.scorers",
    "diswot.search",
    "diswot.distillation",
    "diswot.export",
    "diswot.main_job",
    "diswot.report",
    "diswot.cli",
    "diswot.testing",
    "benchmarks",
)
MODULES = [
    p for room in ("search_spaces", "diswot", "benchmarks") for p in (ROOT / room).rglob("*.py")
]


def room_of(module: str) -> str | None:
    return next((room for room in ROOMS if f"{module}.".startswith(f"{room}.")), None)


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_room_imports_only_rooms_above_it(path: Path) -> None:
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    own = room_of(module)
    if own is None:
        own = "diswot.cli" if module in ("diswot.__init__", "diswot.__main__") else "diswot.errors"
    for name in imported(path):
        other = room_of(name)
        if other is not None:
            assert ROOMS.index(other) <= ROOMS.index(own), f"{module} imports {name}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_the_command_line_prints(path: Path) -> None:
    if "cli" in path.parts or "benchmarks" in path.parts:
        return
    calls = [
        node
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
    ]
    assert not [call for call in calls if getattr(call.func, "id", "") == "print"]
