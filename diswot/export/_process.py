"""Run exported formats in separate processes, so that they cannot affect each other."""

import atexit
import io
import os
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, ClassVar, cast

import torch
from torch import Tensor, nn

from diswot.errors import ExportError
from diswot.export._formats import Format
from diswot.tasks import source_of

_END = "end"

_LOADING = """
{source}
network = {runner}(Path({path!r}), {names!r}, {threads})
"""

_PROGRAM = """
from __future__ import annotations
import io, os, select, statistics, struct, sys, time, torch
from pathlib import Path
answers = os.fdopen(os.dup(1), "wb")
os.dup2(2, 1)  # what a form prints is no answer
def question():
    head = sys.stdin.buffer.read(8)
    if not head:  # whoever asked is gone
        os._exit(1)
    content = io.BytesIO(sys.stdin.buffer.read(struct.unpack("<Q", head)[0]))
    return torch.load(content, weights_only=True)
def answer(value):
    content = io.BytesIO()
    torch.save(value, content)
    answers.write(struct.pack("<Q", content.tell()) + content.getbuffer())
    answers.flush()
def milliseconds(*inputs):
    for _ in range(3):
        network(*inputs)
    times, end = [], time.perf_counter() + {seconds}
    while len(times) < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        network(*inputs)
        times.append(1e3 * (time.perf_counter() - start))
    return torch.tensor(statistics.median(times), dtype=torch.double)
patience = None
while True:
    if not select.select([sys.stdin], [], [], patience)[0]:  # nobody asks any more
        os._exit(0)
    loading, threads, patience = question()
    child = loading and os.fork()
    if child and os.waitpid(child, 0)[1]:  # it has said why
        os._exit(1)
    if child == 0:
        torch.set_num_threads(threads)
        exec("from __future__ import annotations" + loading)
        answer(True)
        with torch.inference_mode():
            while (asked := question())[0] != {end!r}:
                timed, *inputs = asked
                inputs = [each.numpy() for each in inputs]
                answer(milliseconds(*inputs) if timed else torch.from_numpy(network(*inputs)))
        os._exit(0)
    answer(True)
"""

_SECONDS = 0.2
"""Minimal time for which one example is timed."""

_ENDED = (OSError, EOFError, struct.error)
"""What is raised where a process that is to answer has ended."""

_PATIENCE = 60.0
"""Seconds for which a process waits for the next export."""


class Runner:
    """A context manager that runs the exported formats of a folder in separate processes.

    Each process is forked from one that has already imported torch, because the import is slow;
    that one is kept for the next export. The processes of formats end with the context.

    Args:
        folder: folder of the exported student.
        names: names of the inputs.
    """

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        self._folder, self._names = folder.absolute(), list(names)
        self._threads = torch.get_num_threads()
        self._base: _Base | None = None

    def __enter__(self) -> "Runner":
        return self

    def __exit__(self, *_: object) -> None:
        if self._base is not None:
            self._base.leave()

    @contextmanager
    def process(self, form: Format) -> Iterator["Process"]:
        """Load a format in a new process, which ends with the block.

        Args:
            form: a format that can be run here.

        Raises:
            ExportError: it cannot be loaded.
        """
        # The base process has imported torch; each form runs in a fork of it, which starts fast.
        process = Process(self, form.file)
        try:
            self.answer(form.file, [self._loading(form), self._threads, None])
            yield process
            self.answer(form.file, [_END])
        except BaseException:
            self._stop()
            raise

    def _loading(self, form: Format) -> str:
        """Return the source code that loads a format."""
        if form.run is None:
            raise ExportError(f"{form.file} runs only on devices")
        return _LOADING.format(
            source=source_of(form.run),
            runner=form.run.__name__,
            path=str(self._folder / form.file),
            names=self._names,
            threads=self._threads,
        )

    def answer(self, form: str, question: list[Any]) -> Any:
        """Send a request to the process of a format and return its reply.

        Args:
            form: name of the exported file, for messages.
            question: the request.

        Raises:
            ExportError: the process has ended.
        """
        self._base = base = self._base or _Base.taken()
        try:
            return base.answer(question)
        except _ENDED as error:
            raise ExportError(
                f"{form} does not run in its own process: {base.last_words()}"
            ) from error

    def _stop(self) -> None:
        if self._base is not None:
            self._base.stop()
            self._base = None


class _Base:
    """A process that has imported torch and forks for each format."""

    _idle: ClassVar[list["_Base"]] = []

    def __init__(self) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  (closed when it is stopped)
        self._running = subprocess.Popen(  # noqa: S603  (our own program, on files just written)
            [sys.executable, "-I", "-B", "-c", _PROGRAM.format(seconds=_SECONDS, end=_END)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            process_group=0,
        )
        self._of, self._left = os.getpid(), time.monotonic()
        atexit.register(self.stop)

    @classmethod
    def taken(cls) -> "_Base":
        """Return one that another export has left, or a new one."""
        while cls._idle:
            found = cls._idle.pop()
            if found._is_there():
                found._errors.seek(0)  # where the process writes, too
                found._errors.truncate()
                return found
            found.stop()
        return cls()

    def _is_there(self) -> bool:
        """Return whether it waits for this process, and will for a while."""
        # An idle process ends by itself after _PATIENCE; half of that avoids a race with its end.
        soon = self._left + _PATIENCE / 2
        return self._of == os.getpid() and time.monotonic() < soon and self._running.poll() is None

    def leave(self) -> None:
        """Keep it for the next export; it ends where there is none in a minute."""
        self._left = time.monotonic()
        try:
            self.answer(["", 0, _PATIENCE])
        except _ENDED:
            self.stop()
        else:
            self._idle.append(self)

    def answer(self, question: list[Any]) -> Any:
        """Return what it, or its fork for a form, answers.

        Raises:
            OSError, EOFError, struct.error: it has ended.
        """
        content = io.BytesIO()
        torch.save(question, content)
        into, out = (cast(IO[bytes], each) for each in (self._running.stdin, self._running.stdout))
        # A message is its length in 8 bytes, followed by what torch.save wrote.
        into.write(struct.pack("<Q", content.tell()))
        into.write(content.getbuffer())
        into.flush()
        (size,) = struct.unpack("<Q", out.read(8))
        if len(found := out.read(size)) < size:
            raise EOFError
        return torch.load(io.BytesIO(found), weights_only=True)

    def stop(self) -> None:
        """Kill it and its fork."""
        if self._of == os.getpid():  # in a fork of this process they are not its own
            with suppress(ProcessLookupError):  # it has ended
                os.killpg(self._running.pid, signal.SIGKILL)
            self._running.communicate()
        self._errors.close()
        atexit.unregister(self.stop)

    def last_words(self) -> str:
        """Return the last line of what it has said of its end."""
        self._running.wait()
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else "no message"


class Process(nn.Module):
    """An exported format as a module that runs in a separate process.

    Args:
        runner: communicates with the process.
        form: name of the exported file.
    """

    def __init__(self, runner: Runner, form: str) -> None:
        super().__init__()
        self._runner, self._form = runner, form

    def forward(self, *inputs: Tensor) -> Tensor:
        """Return the outputs (B, …) for inputs, each (B, …).

        Raises:
            ExportError: running it failed.
        """
        return self._asked(False, inputs)

    def milliseconds(self, *inputs: Tensor) -> float:
        """Return the median latency for these inputs, in milliseconds.

        Raises:
            ExportError: running it failed.
        """
        return float(self._asked(True, inputs))

    def _asked(self, timed: bool, inputs: Sequence[Tensor]) -> Tensor:
        copies = [each.clone() for each in inputs]  # a view would be sent with its whole storage
        answer: Tensor = self._runner.answer(self._form, [timed, *copies])
        return answer
