"""Programs that start fast, because each is a fork of a process with slow imports done."""

import atexit
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

SERVES = """
import json, os, runpy, sys, traceback
for name in sys.argv[1].split(","):
    __import__(name)

def run(kind, *arguments):
    sys.path[0] = "" if kind in ("-c", "-m") else os.path.dirname(kind)
    sys.argv[:] = [kind, *arguments]
    if kind == "-c":
        sys.argv.pop(1)
        exec(arguments[0], {"__name__": "__main__"})
    elif kind == "-m":
        sys.argv.pop(0)
        runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)
    else:
        runpy.run_path(kind, run_name="__main__")

def status_of(program):
    try:
        run(*program)
    except SystemExit as ending:
        if ending.code is None or isinstance(ending.code, int):
            return ending.code or 0
        print(ending.code, file=sys.stderr)
        return 1
    except BaseException:
        traceback.print_exc()
        return 1
    return 0

def become(request):
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    for stream, path in enumerate(request["streams"]):
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT), stream)
    status = status_of(request["program"])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)

requests, statuses = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w")
for line in requests:
    child = os.fork()
    if child == 0:
        become(json.loads(line))
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), file=statuses, flush=True)
"""


@dataclass(frozen=True)
class Ended:
    """The result of a program: its exit status and output bytes."""

    status: int
    out: bytes
    err: bytes


class Server:
    """A process that runs programs as forks of itself.

    Args:
        imports: comma-separated names of modules that it imports first.
        variables: environment variables that are set when it starts.
    """

    def __init__(self, imports: str, variables: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-B", "-c", SERVES, imports],
            env={**os.environ, **variables},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, program: Sequence[str | Path], given: str, **request: Any) -> Ended:
        """Run one program; see `run_programs`."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with tempfile.TemporaryDirectory() as place:
            streams = [Path(place, name) for name in ("in", "out", "err")]
            streams[0].write_text(given, encoding="utf-8")
            request |= {"program": [*map(str, program)], "streams": [*map(str, streams)]}
            print(json.dumps(request), file=self._process.stdin, flush=True)
            status = int(self._process.stdout.readline())
            return Ended(status, *(stream.read_bytes() for stream in streams[1:]))

    def end(self) -> None:
        """End the process."""
        self._process.communicate()


@cache
def shared(imports: str) -> Server:
    """Return a server that ends with this process."""
    server = Server(imports, {})
    atexit.register(server.end)
    return server


def run_programs(
    programs: Sequence[Sequence[str | Path]],
    *,
    imports: str,
    folder: Path | None = None,
    variables: Mapping[str, str] | None = None,
    at_the_start: Mapping[str, str] | None = None,
    given: str = "",
) -> list[Ended]:
    """Run programs one after the other, like `python` with these arguments.

    Args:
        programs: for each, a script, `-m MODULE` or `-c CODE`, and its arguments.
        imports: comma-separated names of modules that are imported first.
        folder: the current folder.
        variables: environment variables.
        at_the_start: environment variables that Python itself reads when it starts.
        given: the standard input of every program.
    """
    first = at_the_start or {}
    server = Server(imports, first) if first else shared(imports)
    try:
        request = {
            "folder": str(folder or Path.cwd()),
            "environment": {**os.environ, **first, **(variables or {})},
        }
        return [server.run(program, given, **request) for program in programs]
    finally:
        if first:
            server.end()
