"""Real schedulers and workers of Dask on this machine."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).parents[1]

ONE_THREAD = ("--nthreads", 1, "--no-nanny")
"""Options of workers that run one task at a time."""


@contextmanager
def dask(*arguments: object, **variables: str) -> Iterator[subprocess.Popen[str]]:
    """Run a Dask command during the `with` block, with these environment variables."""
    process = subprocess.Popen(
        [sys.executable, "-m", "dask", *map(str, arguments)],
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(CHECKOUT)} | variables,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate()


def eventually(reached: Callable[[], bool]) -> None:
    """Wait for a condition, with a time limit."""
    deadline = time.monotonic() + 120
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@contextmanager
def scheduler(folder: Path, **variables: str) -> Iterator[str]:
    """Run a scheduler with these environment variables, and return its address."""
    file = folder / "scheduler.json"
    quiet = ("--no-dashboard", "--no-show", "--host", "127.0.0.1", "--port", 0)
    with dask("scheduler", *quiet, "--scheduler-file", file, **variables):
        eventually(file.exists)
        yield str(json.loads(file.read_text())["address"])


@contextmanager
def workers(address: str, count: int, *options: object) -> Iterator[list[subprocess.Popen[str]]]:
    """Run workers of a scheduler."""
    distributed: Any = import_module("distributed")
    with ExitStack() as stack:
        started = [
            stack.enter_context(dask("worker", address, "--no-dashboard", *options))
            for _ in range(count)
        ]
        with distributed.Client(address, set_as_default=False) as client:
            client.wait_for_workers(count, timeout=120)
        yield started
