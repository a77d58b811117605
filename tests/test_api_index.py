"""The signatures on the first page of the Python reference match the functions."""

import ast
import inspect
import re
from pathlib import Path

import pytest

import diswot
from diswot import Budget

PAGE = (Path(__file__).parents[1] / "docs" / "api" / "index.md").read_text(encoding="utf-8")
FOUND = re.findall(r"^diswot\.(\w+)(\(.*\))(?: -> .*)?$", PAGE, re.MULTILINE)
SIGNATURES = list(dict(reversed(FOUND)).items())
"""The first that the page has of each function; a later one is an example."""

CALLS = [
    "run",
    "search",
    "Budget",
    "score",
    "distill",
    "train_teacher",
    "load_checkpoint",
    "resume",
    "load_run",
    "write_report",
    "compare_runs",
    "export",
    "predict",
    "load_data",
]


def test_every_main_function_has_its_signature() -> None:
    assert {name for name, _ in SIGNATURES} == set(CALLS)


@pytest.mark.parametrize(("name", "written"), SIGNATURES)
def test_a_signature_matches_its_function(name: str, written: str) -> None:
    parameters = inspect.signature(getattr(diswot, name)).parameters
    parsed = ast.parse(f"def {name}{written}: ...").body[0]
    assert isinstance(parsed, ast.FunctionDef)
    asked = {arg.arg for arg in (*parsed.args.args, *parsed.args.kwonlyargs)}
    needed = {
        each.name
        for each in parameters.values()
        if each.default is each.empty and each.kind is not each.VAR_KEYWORD
    }
    assert needed <= asked <= set(parameters)
    for parameter, default in defaults(parsed.args):
        assert parameters[parameter].default == default


def defaults(arguments: ast.arguments) -> list[tuple[str, object]]:
    """Return the default values of a signature, by parameter."""
    last = arguments.args[len(arguments.args) - len(arguments.defaults) :]
    given = [*zip(last, arguments.defaults, strict=True)]
    given += [
        (arg, default)
        for arg, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        if default is not None
    ]
    return [(arg.arg, eval(ast.unparse(default), {"Budget": Budget})) for arg, default in given]
