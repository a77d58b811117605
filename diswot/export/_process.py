"""Run exported formats in separate processes, so that they cannot affect each other."""

import io
import os
import signal
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, cast

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
import io, os, statistics, struct, sys, time, torch
from pathlib import Path
responses = os.fdopen(os.dup(1), "wb")
os.dup2(2, 1)  # what a format prints is not a response
def receive():
    head = sys.stdin.buffer.read(8)
    if not head:  # the exporting process has ended
        os._exit(1)
    content = io.BytesIO(sys.stdin.buffer.read(struct.unpack("<Q", head)[0]))
    return torch.load(content, weights_only=True)
def respond(value):
    content = io.BytesIO()
    torch.save(value, content)
    responses.write(struct.pack("<Q", content.tell()) + content.getbuffer())
    responses.flush()
def milliseconds(*inputs):
    for _ in range(3):
        network(*inputs)
    times, end = [], time.perf_counter() + {seconds}
    while len(times) < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        network(*inputs)
        times.append(1e3 * (time.perf_counter() - start))
    return torch.tensor(statistics.median(times), dtype=torch.double)
while True:
    loading, threads = receive()
    child = os.fork()
    if child and os.waitpid(child, 0)[1]:  # it has printed why
        os._exit(1)
    if not child:
        torch.set_num_threads(threads)
        exec("from __future__ import annotations" + loading)
        respond(True)
        with torch.inference_mode():
            while (request := receive())[0] != {end!r}:
                timed, *inputs = request
                inputs = [each.numpy() for each in inputs]
                respond(milliseconds(*inputs) if timed else torch.from_numpy(network(*inputs)))
        os._exit(0)
    respond(True)
"""

_SECONDS = 0.2
"""Minimal time for which one example is timed."""


class Runner:
    """A context manager that runs the exported formats of a folder in separate processes.

    Each process is forked from one that has already imported torch, because the import is slow.
    All processes end with the context.

    Args:
        folder: folder of the exported student.
        names: names of the inputs.
    """

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        self._folder, self._names = folder.absolute(), list(names)
        self._threads = torch.get_num_threads()
        self._base: Base | None = None

    def __enter__(self) -> "Runner":
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    @contextmanager
    def process(self, form: Format) -> Iterator["Process"]:
        """Load a format in a new process, which ends with the block.

        Args:
            form: a format that can be run here.

        Raises:
            ExportError: it cannot be loaded.
        """
        process = Process(self, form.file)
        try:
            self.request(form.file, [self._loading(form), self._threads])
            yield process
            self.request(form.file, [_END])
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

    def request(self, form: str, content: list[Any]) -> Any:
        """Send a request to the process of a format and return its response.

        Args:
            form: name of the exported file, for messages.
            content: the request.

        Raises:
            ExportError: the process has ended.
        """
        self._base = base = self._base or Base()
        try:
            return base.request(content)
        except (OSError, EOFError, struct.error) as error:  # the process has ended
            raise ExportError(
                f"{form} does not run in its own process: {base.last_message()}"
            ) from error

    def _stop(self) -> None:
        if self._base is not None:
            self._base.stop()
            self._base = None


class Base:
    """A process that has imported torch and forks for each format."""

    def __init__(self) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  (closed when it is stopped)
        self._running = subprocess.Popen(  # noqa: S603  (our own program, on files just written)
            [sys.executable, "-I", "-B", "-c", _PROGRAM.format(seconds=_SECONDS, end=_END)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            process_group=0,
        )

    def request(self, content: list[Any]) -> Any:
        """Send a request to it, or to its fork for a format, and return the response.

        Raises:
            OSError, EOFError, struct.error: it has ended.
        """
        message = io.BytesIO()
        torch.save(content, message)
        into, out = (cast(IO[bytes], item) for item in (self._running.stdin, self._running.stdout))
        # A message is its length in 8 bytes, followed by what torch.save wrote.
        into.write(struct.pack("<Q", message.tell()))
        into.write(message.getbuffer())
        into.flush()
        (size,) = struct.unpack("<Q", out.read(8))
        if len(response := out.read(size)) < size:
            raise EOFError
        return torch.load(io.BytesIO(response), weights_only=True)

    def stop(self) -> None:
        """Kill it and its fork."""
        with suppress(ProcessLookupError):  # it has ended
            os.killpg(self._running.pid, signal.SIGKILL)
        self._running.communicate()
        self._errors.close()

    def last_message(self) -> str:
        """Return the last line that it printed before it ended."""
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
        return self._run(False, inputs)

    def milliseconds(self, *inputs: Tensor) -> float:
        """Return the median latency for these inputs, in milliseconds.

        Raises:
            ExportError: running it failed.
        """
        return float(self._run(True, inputs))

    def _run(self, timed: bool, inputs: Sequence[Tensor]) -> Tensor:
        copies = [item.clone() for item in inputs]  # a view would be sent with its whole storage
        response: Tensor = self._runner.request(self._form, [timed, *copies])
        return response
