"""Imports point one way: from a floor of the house to a lower one."""

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FLOORS = (
    ("errors", "files", "finished", "printable", "progress", "seeding"),
    ("guard",),
    ("csv_table", "devices", "networks", "options", "plugins", "references", "runtimes", "workers"),
    ("registry",),
    ("bars", "losses", "runs", "teachers"),
    ("tasks",),
    ("tasks.images", "tasks.landmarks", "tasks.text"),
    ("scorers", "students"),
    ("latency", "training"),
    ("export", "search"),
    ("bench", "methods"),
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


def room_of(module: str) -> str | None:
    """Return the room with the longest name that a module is in."""
    rooms = [room for room in ROOMS if f"{module}.".startswith(f"{room}.")]
    return max(rooms, key=len, default=None)


@cache
def nodes_of(path: Path) -> list[ast.AST]:
    """Return everything in the code of a file."""
    return list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def imported(path: Path) -> set[str]:
    """Return the modules of the project that a file imports."""
    names: set[str] = set()
    for node in nodes_of(path):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module == "diswot":
            names |= {f"diswot.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return {name for name in names if name.split(".")[0] in ("diswot", "search_spaces")}


def leads_up(module: str, name: str) -> bool:
    """Return whether `module` may not import `name`."""
    own, other = room_of(module), room_of(name)
    if own is None or other is None:
        return True
    return other != own and ROOMS[other] >= ROOMS[own]


def test_every_module_is_in_a_room() -> None:
    modules = [module_of(path) for path in (*LIBRARY, *STUDIES)]
    assert not [name for name in modules if name not in ENTRANCES and room_of(name) is None]


def test_imports_lead_to_the_own_room_or_a_lower_floor() -> None:
    paths = {module_of(path): path for path in LIBRARY}
    assert not [
        f"{module} imports {name}"
        for module in paths.keys() - {*ENTRANCES}
        for name in imported(paths[module])
        if leads_up(module, name)
    ]


def test_studies_import_public_modules_alone() -> None:
    assert not [
        f"{module_of(path)} imports {name}"
        for path in STUDIES
        for name in imported(path)
        if any(part.startswith("_") for part in name.split("."))
    ]


def test_nothing_of_the_library_imports_the_studies() -> None:
    assert not [
        f"{module_of(path)} imports {node.module}"
        for path in LIBRARY
        for node in nodes_of(path)
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "benchmarks"
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
def test_ways_up_are_noticed(module: str, name: str, up: bool) -> None:
    assert leads_up(module, name) == up
