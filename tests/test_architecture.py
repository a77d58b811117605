"""Imports point in one direction: from a layer to the same or a lower one."""

import ast
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path
from typing import TypeGuard

import pytest

ROOT = Path(__file__).parents[1]
FLOORS = (
    ("errors", "files", "finished", "printable", "progress", "seeding"),
    ("guard",),
    ("csv_table", "devices", "networks", "options", "plugins", "references"),
    ("runtimes", "workers"),
    ("registry", "tabular"),
    ("bars", "losses", "runs", "teachers"),
    ("plots", "tasks", "tracking"),
    ("tasks.code", "tasks.images", "tasks.landmarks", "tasks.text"),
    ("tasks.image_text",),
    ("scorers", "students"),
    ("latency", "training"),
    ("export", "search"),
    ("bench", "hub", "methods"),
    ("pipeline",),
    ("report",),
    ("cli", "testing"),
)
"""Rooms of `diswot` from the ground up; `search_spaces` lies below all of them."""

ROOMS = {
    "search_spaces": 0,
    **{f"diswot.{room}": floor for floor, rooms in enumerate(FLOORS, 1) for room in rooms},
    "benchmarks": len(FLOORS) + 1,
}
ENTRANCES = ("diswot", "diswot.__main__")
"""Modules that only pass on what the rooms offer."""

LIBRARY = [path for room in ("search_spaces", "diswot") for path in (ROOT / room).rglob("*.py")]
STUDIES = list((ROOT / "benchmarks").rglob("*.py"))


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_of(path): path for path in (*LIBRARY, *STUDIES)}


def package_of(module: str) -> str | None:
    """Return the package with the longest name that a module is in."""
    rooms = [room for room in ROOMS if f"{module}.".startswith(f"{room}.")]
    return max(rooms, key=len, default=None)


@cache
def nodes_of(path: Path) -> list[ast.AST]:
    """Return all AST nodes of a file."""
    return list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


@cache
def imported(path: Path) -> frozenset[str]:
    """Return all project modules that a file imports, in any way."""
    return frozenset(
        name
        for node in nodes_of(path)
        for name in names_in(node)
        if name.split(".")[0] in ("diswot", "search_spaces", "benchmarks")
    )


def names_in(node: ast.AST) -> list[str]:
    """Return the modules of an import, also for types only and by `import_module`."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module:
        inner = [f"{node.module}.{alias.name}" for alias in node.names]
        found = [name for name in inner if name in MODULES]
        return found if len(found) == len(inner) else [*found, node.module]
    if is_dynamic(node):
        return [str(each.value) for each in node.args if isinstance(each, ast.Constant)]
    return []


def is_dynamic(node: ast.AST) -> TypeGuard[ast.Call]:
    """Return whether a call imports a module dynamically."""
    called = node.func if isinstance(node, ast.Call) else None
    return getattr(called, "attr", getattr(called, "id", "")) in ("import_module", "__import__")


def circles(imports: Mapping[str, Collection[str]]) -> list[str]:
    """Return the modules in import cycles, and modules between two cycles."""
    left = {module: {*names} & imports.keys() - {module} for module, names in imports.items()}
    for ahead in (
        True,
        False,
    ):  # remove modules that import no remaining one, then those that no remaining one imports
        while free := [
            module
            for module in left
            if not (left[module] if ahead else any(module in names for names in left.values()))
        ]:
            left = {name: names - {*free} for name, names in left.items() if name not in free}
    return sorted(left)


def leads_up(module: str, name: str) -> bool:
    """Return whether importing `name` in `module` is forbidden."""
    own, other = package_of(module), package_of(name)
    if own is None or other is None:
        return True
    return other != own and ROOMS[other] >= ROOMS[own]


def test_every_module_is_in_a_package() -> None:
    assert not [name for name in MODULES if name not in ENTRANCES and package_of(name) is None]


def test_imports_point_to_the_same_package_or_a_lower_layer() -> None:
    assert not [
        f"{module} imports {name}"
        for module in MODULES.keys() - {*ENTRANCES}
        for name in imported(MODULES[module])
        if leads_up(module, name)
    ]


def test_there_are_no_import_cycles() -> None:
    inner = {name: imported(path) for name, path in MODULES.items() if name not in ENTRANCES}
    assert not circles(inner)


def test_dynamic_imports_have_literal_names() -> None:
    assert not [
        f"{path}, line {node.lineno}"
        for module, path in MODULES.items()
        for node in nodes_of(path)
        if module not in ENTRANCES
        and is_dynamic(node)
        and isinstance(node.args[0], ast.JoinedStr | ast.BinOp)
    ]


def test_studies_import_only_public_modules() -> None:
    assert not [
        f"{module_of(path)} imports {name}"
        for path in STUDIES
        for name in imported(path)
        if package_of(name) != "benchmarks"
        and any(part.startswith("_") for part in name.split("."))
    ]


def test_only_the_command_line_prints() -> None:
    assert not [
        f"{path}, line {node.lineno}"
        for path in LIBRARY
        for node in nodes_of(path)
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", "") == "print"
        and "cli" not in path.parts
    ]


@pytest.mark.parametrize(
    ("module", "name", "up"),
    [
        ("diswot.runs.folder", "diswot.search", True),
        ("diswot.runs.folder", "diswot.nowhere", True),
        ("diswot.search._api", "diswot.search", False),
        ("diswot.search._api", "diswot.runs.folder", False),
        ("diswot.tasks.text._catalog", "diswot.tasks.images", True),
        ("search_spaces.macro", "diswot.errors", True),
    ],
)
def test_upward_imports_are_detected(module: str, name: str, up: bool) -> None:
    assert leads_up(module, name) == up


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("import diswot.search", ["diswot.search"]),
        ("from diswot import files", ["diswot.files"]),
        ("from diswot.search import search", ["diswot.search"]),
        (
            "from diswot.tasks.text import Text, _task",
            ["diswot.tasks.text._task", "diswot.tasks.text"],
        ),
        ("if TYPE_CHECKING:\n    from diswot.files import x", ["diswot.files"]),
        ("def late():\n    import diswot.files", ["diswot.files"]),
        ("x = import_module('diswot.files').x", ["diswot.files"]),
        ("importlib.import_module('diswot.files')", ["diswot.files"]),
        ("__import__('diswot.files')", ["diswot.files"]),
        ("from torch import nn", ["torch"]),
    ],
)
def test_every_way_of_importing_is_detected(code: str, names: list[str]) -> None:
    assert [name for node in ast.walk(ast.parse(code)) for name in names_in(node)] == names


@pytest.mark.parametrize(
    ("imports", "found"),
    [
        ({"a": {"b"}, "b": {"c", "os"}, "c": set()}, []),
        ({"a": {"b"}, "b": {"a"}, "c": {"a"}, "d": set()}, ["a", "b"]),
        ({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}, "e": {"d"}}, ["a", "b", "c"]),
        ({"a": {"a"}}, []),
    ],
)
def test_import_cycles_are_detected(imports: dict[str, set[str]], found: list[str]) -> None:
    assert circles(imports) == found
