"""Imports point one way: from a floor of the house to a lower one."""

import ast
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

each_module = pytest.mark.parametrize(
    "path", [*LIBRARY, *STUDIES], ids=lambda path: str(path.relative_to(ROOT))
)


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def room_of(module: str) -> str | None:
    """Return the room with the longest name that a module is in."""
    rooms = [room for room in ROOMS if f"{module}.".startswith(f"{room}.")]
    return max(rooms, key=len, default=None)


def imported(path: Path) -> set[str]:
    """Return the modules of the project that a file imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module == "diswot":
            names |= {f"diswot.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return {name for name in names if name.split(".")[0] in ("diswot", "search_spaces")}


@each_module
def test_every_module_is_in_a_room(path: Path) -> None:
    assert module_of(path) in ENTRANCES or room_of(module_of(path)) is not None


@each_module
def test_imports_lead_to_the_own_room_or_a_lower_floor(path: Path) -> None:
    module = module_of(path)
    own = room_of(module)
    if module in ENTRANCES or own == "benchmarks":
        return
    assert own is not None
    for name in imported(path):
        other = room_of(name)
        assert other is not None, f"{module} imports {name}, which is in no room"
        assert other == own or ROOMS[other] < ROOMS[own], f"{module} imports {name}"


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: str(path.relative_to(ROOT)))
def test_studies_import_public_modules_alone(path: Path) -> None:
    private = [name for name in imported(path) if any(p[0] == "_" for p in name.split("."))]
    assert not private


@pytest.mark.parametrize("path", LIBRARY, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_of_the_library_imports_the_studies(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    modules = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert not [module for module in modules if module and module.split(".")[0] == "benchmarks"]


@pytest.mark.parametrize("path", LIBRARY, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_the_command_line_prints(path: Path) -> None:
    if "cli" in path.parts:
        return
    calls = [
        node
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
    ]
    assert not [call for call in calls if getattr(call.func, "id", "") == "print"]
