"""The messages on the troubleshooting page exist in the library."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
MESSAGES = [block.strip() for block in re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)]


@cache
def templates() -> frozenset[str]:
    """Return all texts of the library, with … in place of inserted values."""
    sources = sorted((ROOT / "diswot").rglob("*.py"))
    return frozenset(
        text for source in sources for text in texts(ast.parse(source.read_text("utf-8")))
    )


def texts(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = (part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
            yield "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@pytest.mark.parametrize("message", MESSAGES, ids=range(len(MESSAGES)))
def test_every_explained_message_is_in_the_library(message: str) -> None:
    parts = [part for part in message.split("…") if len(part.strip()) > 2]
    pattern = re.compile(".*?".join(map(re.escape, parts)), re.DOTALL)
    assert parts
    assert any(pattern.search(template) for template in templates()), message
