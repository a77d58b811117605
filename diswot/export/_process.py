"""An exported form, run in a process of its own."""

import io
import struct
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, cast

import torch
from torch import Tensor, nn

from diswot.errors import ExportError

_TORCH = "torch.set_num_threads({threads})\n"

_SOURCE = """
sys.path.insert(0, {folder!r})
import student
network = student.load()
"""

_ARCHIVE = """
network = torch.export.load({folder!r} + "/student.pt2").module()
"""

_ONNX = """
import onnxruntime
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = {threads}
session = onnxruntime.InferenceSession({folder!r} + "/{form}", options,
                                       providers=["CPUExecutionProvider"])
used = [each.name for each in session.get_inputs()]
network = lambda *inputs: torch.from_numpy(session.run(
    None, {{name: each.numpy() for name, each in zip({names}, inputs) if name in used}})[0])
"""

_LOADED = {"student.py": _SOURCE, "student.pt2": _ARCHIVE}

_PROGRAM = """
import io, os, statistics, struct, sys, time, torch
answers = os.fdopen(os.dup(1), "wb")
os.dup2(2, 1)  # what the form prints is no answer
{network}
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
with torch.inference_mode():
    while head := sys.stdin.buffer.read(8):
        question = io.BytesIO(sys.stdin.buffer.read(struct.unpack("<Q", head)[0]))
        timed, *inputs = torch.load(question, weights_only=True)
        answer((milliseconds if timed else network)(*inputs))
"""

_SECONDS = 0.2
"""For how long one example is timed at least."""


class Process(nn.Module):
    """An exported form as a module that runs in a process of its own.

    Used as a context; the process ends with it.

    Args:
        form: the file that is run.
        folder: where it lies.
        names: of the inputs.
    """

    def __init__(self, form: str, folder: Path, names: Sequence[str]) -> None:
        super().__init__()
        self._form = form
        values = {
            "form": form,
            "folder": str(folder.absolute()),
            "threads": torch.get_num_threads(),
            "names": list(names),
        }
        network = (_TORCH + _LOADED.get(form, _ONNX)).format(**values)
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  (closed at the end of the context)
        self._process = subprocess.Popen(  # noqa: S603  (our own program, on files just written)
            [sys.executable, "-I", "-B", "-c", _PROGRAM.format(network=network, seconds=_SECONDS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
        )

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()
        self._errors.close()

    def forward(self, *inputs: Tensor) -> Tensor:
        """Return the outputs of the form for a batch of each input.

        Raises:
            ExportError: it does not run.
        """
        return self._answer([False, *(each.clone() for each in inputs)])  # not what they view

    def milliseconds(self, *inputs: Tensor) -> float:
        """Return the median time of the form for these inputs.

        Raises:
            ExportError: it does not run.
        """
        return float(self._answer([True, *(each.clone() for each in inputs)]))

    def _answer(self, question: list[bool | Tensor]) -> Tensor:
        content = io.BytesIO()
        torch.save(question, content)
        into, out = (cast(IO[bytes], each) for each in (self._process.stdin, self._process.stdout))
        try:
            into.write(struct.pack("<Q", content.tell()))
            into.write(content.getbuffer())
            into.flush()
            (size,) = struct.unpack("<Q", out.read(8))
            if len(found := out.read(size)) < size:
                raise EOFError
        except (OSError, EOFError, struct.error) as error:  # the process has ended
            raise ExportError(
                f"{self._form} does not run in a process of its own: {self._last_words()}"
            ) from error
        answer: Tensor = torch.load(io.BytesIO(found), weights_only=True)
        return answer

    def _last_words(self) -> str:
        self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else "no message"
