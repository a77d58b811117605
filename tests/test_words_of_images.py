"""Words that apply only to images are used only in the packages of images."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.test_architecture import LIBRARY, module_of

WORDS = re.compile(
    r"(?<![a-z])(ImageSpec|ImageData|num_classes|in_channels|accurac(?:y|ies)|logits?)(?![a-z])",
    re.IGNORECASE,
)
"""Words of the classification of images, alone or between other words."""

OWN = {
    "search_spaces": {"num_classes", "in_channels", "logits"},  # its networks are for images
    "diswot.tasks": {"accuracy"},  # a metric of every task with classes
    "diswot.losses": {"logit", "logits"},
    "diswot.scorers": {"logits"},
    "diswot.tasks._token_task": {"logits"},
    "diswot.methods.data_free": {"logits"},
    "diswot.methods.web_images": {"logits", "imagedata"},
    "diswot.bench": {"accuracy", "accuracies"},  # of published tables
    "diswot.cli.bench": {"accuracy", "accuracies"},
}
"""Rooms outside of the tasks' packages, with words that have a meaning of their own there."""


def of_no_task(module: str) -> bool:
    """Return whether a module is outside the packages of the tasks."""
    inside = module.removeprefix("diswot.tasks.")
    return inside == module or inside.startswith("_")


MODULES = {module_of(path): path for path in LIBRARY if of_no_task(module_of(path))}


def texts_of(tree: ast.AST) -> Iterator[str]:
    """Yield the identifiers and strings of code, without docstrings."""
    nodes = list(ast.walk(tree))
    documentation = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    for node in nodes:
        if isinstance(node, ast.Constant) and id(node) in documentation:
            continue
        for _, value in ast.iter_fields(node):
            parts = value if isinstance(value, list) else [value]
            yield from (part for part in parts if isinstance(part, str))


def words_of(tree: ast.AST, module: str = "") -> set[str]:
    """Return the words of images in code that its package must not use."""
    found = {word.lower() for text in texts_of(tree) for word in WORDS.findall(text)}
    rooms = [room for room in OWN if f"{module}.".startswith(f"{room}.")]
    return found.difference(*(OWN[room] for room in rooms))


def test_task_independent_modules_use_no_words_of_images() -> None:
    trees = {module: ast.parse(path.read_text("utf-8")) for module, path in MODULES.items()}
    assert not [
        f"{module} names {', '.join(sorted(found))}: ask the task or the signature"
        for module, tree in trees.items()
        if (found := words_of(tree, module))
    ]


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("teacher_accuracy = 1", {"accuracy"}),
        ("def f(num_classes): ...", {"num_classes"}),
        ("x: 'ImageSpec'", {"imagespec"}),
        ("f'{x} has logits'", {"logits"}),
        ("from a import ImageData as Data", {"imagedata"}),
        ("f(in_channels=3)", {"in_channels"}),
        ("def f():\n    'Its accuracy.'", set()),
        ("x = 1\n'Its logits.'", set()),
        ("classes = inaccuracy = 1", set()),
    ],
)
def test_words_are_found_in_code_but_not_in_docstrings(code: str, found: set[str]) -> None:
    assert words_of(ast.parse(code)) == found
