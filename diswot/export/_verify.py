"""Each exported form is run in a process of its own and must compute the same."""

import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from diswot.errors import ExportError

TOLERANCE = 1e-5

_RUN_SOURCE = """
import sys, torch
sys.path.insert(0, {folder!r})
import student
network = student.load()
batch = student.read_safetensors({batch!r})["images"]
with torch.inference_mode():
    torch.save(network(batch), {answer!r})
"""

_RUN_ONNX = """
import numpy, onnxruntime, torch
from safetensors.torch import load_file
session = onnxruntime.InferenceSession({folder!r} + "/student.onnx",
                                       providers=["CPUExecutionProvider"])
images = load_file({batch!r})["images"].numpy()
outputs = session.run(None, {{session.get_inputs()[0].name: images}})[0]
torch.save(torch.from_numpy(numpy.asarray(outputs)), {answer!r})
"""


def verify_source(folder: Path, images: Tensor, expected: Tensor) -> float:
    """Run `student.py` with its weights; return the largest difference from `expected`.

    Raises:
        ExportError: it does not run, or computes something else.
    """
    return _verify(_RUN_SOURCE, "student.py", folder, images, expected)


def verify_onnx(folder: Path, images: Tensor, expected: Tensor) -> float:
    """Run `student.onnx` with onnxruntime; return the largest difference from `expected`.

    Raises:
        ExportError: it does not run, or computes something else.
    """
    return _verify(_RUN_ONNX, "student.onnx", folder, images, expected)


def _verify(program: str, form: str, folder: Path, images: Tensor, expected: Tensor) -> float:
    with tempfile.TemporaryDirectory() as place:
        batch, answer = f"{place}/batch.safetensors", f"{place}/answer.pt"
        save_file({"images": images.contiguous()}, batch)
        code = program.format(folder=str(folder.absolute()), batch=batch, answer=answer)
        done = subprocess.run(  # noqa: S603  (our own program, on files just written)
            [sys.executable, "-I", "-B", "-c", code], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise ExportError(f"{form} does not run in a process of its own: {reason}")
        got = torch.load(answer, weights_only=True)
    if got.shape != expected.shape:
        raise ExportError(
            f"{form} is not the same network: expected outputs of shape {tuple(expected.shape)}, "
            f"but got {tuple(got.shape)}"
        )
    difference = float((got - expected).abs().max() / expected.abs().max().clamp_min(1))
    if not difference <= TOLERANCE:
        raise ExportError(
            f"{form} is not the same network: its outputs differ by {difference:.2g} of the "
            f"largest, more than {TOLERANCE:g}"
        )
    return difference
