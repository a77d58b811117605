"""Small labeled contracts and Python functions."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from diswot.tasks.code import CodeData, Program, encoded

CONTRACT = """contract Bank{number} {{
    mapping (address => uint) owed; // {number}
    function pay(uint amount) public {{
        {calls} require(owed[msg.sender] >= amount);
        {first}
        {second}
    }}
}}"""
SEND = "msg.sender.call.value(amount)();"
TAKE = "owed[msg.sender] -= amount;"

WriteRows: TypeAlias = Callable[[Sequence[dict[str, Any]]], Path]


def contract(number: int, *, vulnerable: bool) -> str:
    """Return a contract that sends before it takes, or after, and differs from others."""
    first, second = (SEND, TAKE) if vulnerable else (TAKE, SEND)
    calls = "now; " * number
    return CONTRACT.format(number=number, calls=calls, first=first, second=second)


def rows(count: int = 12) -> list[dict[str, Any]]:
    """Return lines of a file of contracts, half of them vulnerable."""
    return [
        {
            "vulnerability": "reentrancy",
            "label": number % 2,
            "source": contract(number, vulnerable=number % 2 == 1),
            "group": str(number),
        }
        for number in range(count)
    ]


@pytest.fixture
def write(tmp_path: Path) -> WriteRows:
    """Return a function that writes lines of a file of contracts."""

    def written(lines: Sequence[dict[str, Any]]) -> Path:
        path = tmp_path / "contracts.jsonl"
        path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
        return path

    return written


def small_programs() -> CodeData:
    """Return 60 programs of up to 12 tokens in two classes that differ in one token."""
    made = [
        Program(("a", *("b" * (number % 10)), word, *("c" * (number // 10 % 4))), word)
        for word in ("x", "y")
        for number in range(30)
    ]
    return encoded("programs", {"train": made}, length=12, vocabulary=50)


@pytest.fixture(scope="session")
def programs() -> CodeData:
    """Return `small_programs`."""
    return small_programs()
