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
session = onnxruntime.InferenceSession({folder!r} + "/student.onnx",
                                       providers=["CPUExecutionProvider"])
name = session.get_inputs()[0].name
network = lambda images: torch.tensor(session.run(None, {{name: images.numpy()}})[0])
"""

_RUN = """
import sys, torch
from safetensors.torch import load_file
{network}
images = load_file({batch!r})["images"]
with torch.inference_mode():
    torch.save(torch.cat([network(images), network(images[:1])]), {answer!r})
"""

FORMS = {"student.py": _SOURCE, "student.pt2": _ARCHIVE, "student.onnx": _ONNX}


def verify(form: str, folder: Path, images: Tensor, expected: Tensor) -> float:
    """Run an exported form in a process of its own, on all images together and on one alone.

    Returns:
        The largest difference from `expected`, in units of the largest output.

    Raises:
        ExportError: it does not run, or computes something else.
    """
    expected = torch.cat([expected, expected[:1]])
    with tempfile.TemporaryDirectory() as place:
        batch, answer = f"{place}/batch.safetensors", f"{place}/answer.pt"
        save_file({"images": images.contiguous()}, batch)
        network = FORMS[form].format(folder=str(folder.absolute()))
        code = _RUN.format(network=network, batch=batch, answer=answer)
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
