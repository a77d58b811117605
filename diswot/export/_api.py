"""`export`: a student as plain source, weights, a description, and ONNX."""

import copy
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor, nn

from diswot.data import ImageSpec
from diswot.errors import ExportError
from diswot.export._onnx import onnx_available, write_onnx
from diswot.export._source import write_source
from diswot.export._verify import verify_onnx, verify_source
from diswot.run_folder import check_new_folder, write_json
from diswot.students import origin_of

CHECKED_IMAGES = 8


@dataclass(frozen=True)
class Exported:
    """What was exported.

    Attributes:
        folder: where.
        files: the files in it.
        differences: for each form, the largest difference of its outputs from the
            network's, in units of the largest output, run in a process of its own.
    """

    folder: Path
    files: tuple[str, ...]
    differences: Mapping[str, float]


def export(
    student: nn.Module,
    folder: str | Path,
    *,
    images: ImageSpec | None = None,
    metrics: Mapping[str, Any] | None = None,
    onnx: bool | None = None,
) -> Exported:
    """Write a student so that it runs without DisWOT.

    Writes `student.py` (imports torch alone), `weights.safetensors`, `config.json`
    (classes, input shape, normalisation, metrics) and `student.onnx`. Each form is run
    in a process of its own and must give the network's outputs on a fixed batch.

    Args:
        student: the network; it is read in evaluation mode and not changed.
        folder: where to write; must not exist, or be empty.
        images: what images it takes; known of networks that a candidate built or that
            were distilled.
        metrics: what to note in `config.json`; by default what the distillation measured.
        onnx: whether to write ONNX; by default if the extra `onnx` is installed.

    Raises:
        ExportError: a form cannot be written or computes something else; nothing is left.
        MissingExtraError: ONNX is asked for and not installed.
        RunFolderError: the folder is not empty or cannot be written.

    Examples:
        >>> import tempfile
        >>> from diswot.data import load_data
        >>> from search_spaces import CifarResNet
        >>> student = CifarResNet((1, 1, 1), num_classes=10, in_channels=1)
        >>> place = Path(tempfile.mkdtemp()) / "student"
        >>> done = export(student, place, images=load_data("digits").spec, onnx=False)
        >>> done.files
        ('config.json', 'student.py', 'weights.safetensors')
    """
    target = Path(folder)
    check_new_folder(target)
    origin = origin_of(student)
    if images is None:
        if origin is None:
            raise ExportError(
                "what images this network takes is not known: pass images=ImageSpec(…)"
            )
        images = origin.images
    architecture = (origin and origin.architecture) or type(student).__name__
    network = copy.deepcopy(student).cpu().eval()
    made = target.parent / f".{target.name}.{os.getpid()}.partial"
    made.mkdir(parents=True)
    try:
        (made / "weights.safetensors").write_bytes(save(_contiguous(network.state_dict())))
        (made / "student.py").write_text(write_source(network, images, architecture), "utf-8")
        noted = dict(metrics if metrics is not None else origin.metrics if origin else {})
        write_json(made / "config.json", {"architecture": architecture} | asdict(images) | noted)
        differences = _checked(network, made, images, onnx_available() if onnx is None else onnx)
        made.replace(target)  # over an empty folder, or where there is none
    finally:
        shutil.rmtree(made, ignore_errors=True)
    files = tuple(sorted(file.name for file in target.iterdir()))
    return Exported(target, files, differences)


def _checked(network: nn.Module, folder: Path, images: ImageSpec, onnx: bool) -> dict[str, float]:
    """Write ONNX if asked to; run every form on a fixed batch."""
    batch = torch.randn(CHECKED_IMAGES, *images.shape, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        expected = network(batch)
    differences = {"student.py": verify_source(folder, batch, expected)}
    if onnx:
        write_onnx(network, batch, folder / "student.onnx")
        differences["student.onnx"] = verify_onnx(folder, batch, expected)
    return differences


def _contiguous(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().clone().contiguous() for name, tensor in state.items()}
