"""Programs that start fast: each is a fork of a process that has imported what takes long."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

NEXT = "--next-program--"

FORKS = f"""
import os, runpy, sys, traceback
place, wanted, *words = sys.argv[1:]
for name in wanted.split(","):
    __import__(name)

def run(kind, *arguments):
    sys.path[0] = "" if kind in ("-c", "-m") else os.path.dirname(kind)
    sys.argv[:] = [kind, *arguments]
    if kind == "-c":
        sys.argv.pop(1)
        exec(arguments[0], {{"__name__": "__main__"}})
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

programs = [[]]
for word in words:
    if word == {NEXT!r}:
        programs.append([])
    else:
        programs[-1].append(word)
for number, program in enumerate(programs):
    child = os.fork()
    if child == 0:
        for stream, end in enumerate((".in", ".out", ".err")):
            os.dup2(os.open(f"{{place}}/{{number}}{{end}}", os.O_RDWR | os.O_CREAT), stream)
        status = status_of(program)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@dataclass(frozen=True)
class Ended:
    """What a program left: its exit status and the bytes that it wrote."""

    status: int
    out: bytes
    err: bytes


def run_programs(
    programs: Sequence[Sequence[str | Path]],
    *,
    imports: str,
    folder: Path | None = None,
    variables: Mapping[str, str] | None = None,
    given: str = "",
) -> list[Ended]:
    """Run programs one after the other, as `python` would with these arguments.

    Args:
        programs: of each, a script, `-m MODULE` or `-c CODE`, and its arguments.
        imports: names of modules that are imported before, with commas between.
        folder: the current folder.
        variables: of the environment, from its first moment.
        given: the standard input of each.
    """
    words: list[str | Path] = []
    for program in programs:
        words += [NEXT, *program] if words else program
    with tempfile.TemporaryDirectory() as place:
        for number in range(len(programs)):
            Path(place, f"{number}.in").write_text(given, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-B", "-c", FORKS, place, imports, *words],
            cwd=folder,
            env=os.environ | (variables or {}),
            stdout=subprocess.PIPE,
            check=True,
        )
        statuses = [int(line) for line in done.stdout.split()]
        return [
            Ended(status, *(Path(place, f"{number}{end}").read_bytes() for end in (".out", ".err")))
            for number, status in enumerate(statuses)
        ]
