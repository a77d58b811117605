"""Tests that start processes need the mark `processes`: `make test-fast` leaves them out."""

import subprocess
from collections.abc import Callable, Iterator
from functools import wraps
from multiprocessing.process import BaseProcess
from typing import Any

import pytest

from diswot.export._process import Runner
from tests.forked import Server

DOCTESTS = {
    "processes": ("diswot.export._api.export", "diswot.workers.Workers"),
    "slow": (
        *("diswot.report._api.write_report", "diswot.search._api.search"),
        "diswot.training._api.distill",
    ),
}
"""Examples in docstrings that carry a mark."""

STARTS = (
    *((subprocess.Popen, "__init__"), (BaseProcess, "start")),
    *((Runner, "__enter__"), (Server, "run")),  # their processes may have been started earlier
)
"""Functions that start a process or give it work."""

OF_OTHERS = {"uname", "fc-list", "system_profiler"}
"""Programs that `platform` and matplotlib start once, in the first test that uses them."""


class Marks:
    """A plugin that marks examples, and fails a test that starts a process without the mark."""

    def __init__(self) -> None:
        self._started: list[str] = []
        self._patch = pytest.MonkeyPatch()

    def pytest_configure(self) -> None:
        """Patch all functions that start processes."""
        for owner, name in STARTS:
            self._patch.setattr(owner, name, self._noted(getattr(owner, name)))

    def pytest_unconfigure(self) -> None:
        self._patch.undo()

    def _noted(self, start: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(start)
        def started(process: Any, *arguments: Any, **options: Any) -> Any:
            command = options.get("args", arguments[0] if arguments else process)
            program = command[0] if isinstance(command, list) else command
            if program not in OF_OTHERS:
                self._started.append(str(command))
            return start(process, *arguments, **options)

        return started

    @pytest.hookimpl(tryfirst=True)  # before tests are deselected by their marks
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            for mark, names in DOCTESTS.items():
                if isinstance(item, pytest.DoctestItem) and item.name in names:
                    item.add_marker(mark)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self) -> Iterator[None]:
        self._started.clear()
        yield

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Iterator[None]:
        started = self._started.copy()
        yield
        if started and item.get_closest_marker("processes") is None:
            pytest.fail(
                f"starts processes, so it needs `pytest.mark.processes`: {started[0][:100]}",
                pytrace=False,
            )
