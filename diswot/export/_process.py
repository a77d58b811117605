"""An exported form, run in a process of its own: outputs, predictions and milliseconds."""

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from diswot.errors import ExportError
from diswot.tasks.images import ImageSpec

_TORCH = "torch.set_num_threads({threads})\n"

_SOURCE = """
sys.path.insert(0, {folder!r})
import student
network, normalize = student.load(), student.normalize
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
name = session.get_inputs()[0].name
network = lambda images: torch.from_numpy(session.run(None, {{name: images.numpy()}})[0])
"""

_LOADED = {"student.py": _SOURCE, "student.pt2": _ARCHIVE}

_PROGRAM = """
import statistics, sys, time, torch
given = torch.load({place!r} + "/given.pt", weights_only=True)
mean, std = (torch.tensor(given[name]).view(-1, 1, 1) for name in ("mean", "std"))
normalize = lambda pixels: (pixels.float() / given["scale"] - mean) / std
{network}
images, count, shape = given["images"], given["count"], given["images"].shape[1:]
one, times, predictions = images[:1], [], []
with torch.inference_mode():
    outputs = torch.cat([network(images), network(one)])
    if count:
        pixels = torch.from_file({place!r} + "/pixels", dtype=given["dtype"],
                                 size=count * shape.numel()).view(count, *shape)
        for part in pixels.split(given["at_once"]):
            predictions.append(network(normalize(part)).argmax(1))
    for _ in range(3):
        network(one)
    end = time.perf_counter() + {seconds}
    while len(times) < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        network(one)
        times.append(1e3 * (time.perf_counter() - start))
predictions = torch.cat(predictions) if predictions else torch.empty(0, dtype=torch.int64)
torch.save({{"outputs": outputs, "predictions": predictions,
             "milliseconds": statistics.median(times)}}, {place!r} + "/answer.pt")
"""

_SECONDS = 0.2
"""For how long one image is timed at least."""

EVALUATED_AT_ONCE = 250
"""Images of a batch, the same for every form and for the network itself."""


@dataclass(frozen=True)
class Answer:
    """What a form computed.

    Attributes:
        outputs: for the batch, then for its first image alone (n + 1, classes).
        predictions: class of each test image; empty where there are none.
        milliseconds: median time of one image.
    """

    outputs: Tensor
    predictions: Tensor
    milliseconds: float


class Questions:
    """A batch, and a test split or none, that every form is run on.

    Used as a context; its files are removed at the end.

    Args:
        batch: normalized images (n, C, H, W).
        images: how pixels are normalized.
        pixels: the images of the test split, as the dataset holds them.
    """

    def __init__(self, batch: Tensor, images: ImageSpec, pixels: Tensor | None) -> None:
        self._place = tempfile.TemporaryDirectory()
        given = {
            "images": batch.contiguous(),
            "mean": images.mean,
            "std": images.std,
            "scale": images.scale,
            "count": 0 if pixels is None else len(pixels),
            "dtype": torch.uint8 if pixels is None else pixels.dtype,
            "at_once": EVALUATED_AT_ONCE,
        }
        torch.save(given, Path(self._place.name, "given.pt"))
        if pixels is not None:
            pixels.contiguous().numpy().tofile(Path(self._place.name, "pixels"))

    def __enter__(self) -> "Questions":
        return self

    def __exit__(self, *_: object) -> None:
        self._place.cleanup()

    def answer(self, form: str, folder: Path) -> Answer:
        """Run a file of an exported folder in a process of its own.

        Raises:
            ExportError: it does not run.
        """
        values = {
            "form": form,
            "folder": str(folder.absolute()),
            "threads": torch.get_num_threads(),
        }
        network = (_TORCH + _LOADED.get(form, _ONNX)).format(**values)
        code = _PROGRAM.format(network=network, place=self._place.name, seconds=_SECONDS)
        done = subprocess.run(  # noqa: S603  (our own program, on files just written)
            [sys.executable, "-I", "-B", "-c", code], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise ExportError(f"{form} does not run in a process of its own: {reason}")
        return Answer(**torch.load(Path(self._place.name, "answer.pt"), weights_only=True))
