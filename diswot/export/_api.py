"""`export`: a student as plain source, weights, a description, an archive, ONNX and a card."""

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import torch
from safetensors.torch import save
from torch import Tensor, nn

from diswot.copies import copied
from diswot.costs import measure_costs
from diswot.data import ImageData, ImageSpec
from diswot.errors import ExportError, OptionError
from diswot.export._card import write_card
from diswot.export._int8 import Quantised, check_same_images, write_int8
from diswot.export._onnx import write_onnx
from diswot.export._program import export_program, write_archive
from diswot.export._source import write_source
from diswot.export._verify import verify
from diswot.options import takes_options
from diswot.run_folder import check_new_folder, write_json
from diswot.runs import writing_into
from diswot.runtimes import onnx_available, require_onnx
from diswot.students import origin_of

_P = ParamSpec("_P")
_T = TypeVar("_T")

CHECKED_IMAGES = 8


@dataclass(frozen=True)
class Exported:
    """What was exported.

    Attributes:
        folder: where.
        files: the files in it.
        differences: for each form, the largest difference of its outputs from the
            network's, in units of the largest output, run in a process of its own.
        sizes: bytes of each file.
        int8: what 8 bits cost, where that was asked for.
    """

    folder: Path
    files: tuple[str, ...]
    differences: Mapping[str, float]
    sizes: Mapping[str, int]
    int8: Quantised | None = None


def _locked(write: Callable[_P, _T]) -> Callable[_P, _T]:
    """Let a function that writes into `folder`, its second argument, lock the run around it."""

    @wraps(write)
    def locked(*arguments: _P.args, **options: _P.kwargs) -> _T:
        folder = options["folder"] if "folder" in options else arguments[1]
        with writing_into(str(folder)):
            return write(*arguments, **options)

    return locked


@takes_options
@_locked
def export(
    student: nn.Module,
    folder: str | Path,
    *,
    images: ImageSpec | None = None,
    metrics: Mapping[str, Any] | None = None,
    onnx: bool | None = None,
    pt2: bool | None = None,
    int8: ImageData | None = None,
) -> Exported:
    """Write a student so that it runs without DisWOT.

    Writes `student.py` (imports torch alone), `weights.safetensors`, `config.json`
    (classes, input shape, normalisation, metrics), `student.pt2` (an archive of
    `torch.export`), `student.onnx`, `student.int8.onnx` and a model card, `README.md`. Each
    form but that in 8 bits is run in a process of its own and must give the network's
    outputs on a fixed batch, and on one image alone.

    Args:
        student: the network; it is read in evaluation mode and not changed.
        folder: where to write; must not exist, or be empty.
        images: what images it takes; known of networks that a candidate built or that
            were distilled.
        metrics: what to note in `config.json`; by default what the distillation measured.
        onnx: whether to write ONNX; by default if the extra `onnx` is installed.
        pt2: whether to write the archive; by default unless `onnx` is `False`, which alone
            leaves the plain source.
        int8: data to quantise with, on training images, and to judge what comes out, on test
            images; by default it is not quantised. Needs ONNX.

    Raises:
        ExportError: a form cannot be written or computes something else; nothing is left.
        MissingExtraError: ONNX is asked for and not installed.
        OptionError: the student was made for other images than those of `int8`, or ONNX, from
            which it is quantised, is not to be written.
        RunFolderError: the folder is not empty or cannot be written, or another process is at
            work in the run that it lies in.

    Examples:
        >>> import tempfile
        >>> from diswot.data import load_data
        >>> from search_spaces import CifarResNet
        >>> student = CifarResNet((1, 1, 1), num_classes=10, in_channels=1)
        >>> place = Path(tempfile.mkdtemp()) / "student"
        >>> done = export(student, place, images=load_data("digits").spec, onnx=False)
        >>> done.files
        ('README.md', 'config.json', 'student.py', 'weights.safetensors')
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
    if int8 is not None:
        check_same_images(int8, images)
        if onnx is False:
            raise OptionError("int8 is quantised from ONNX: leave --no-onnx out")
    pt2 = onnx is not False if pt2 is None else pt2
    onnx = onnx or int8 is not None or (onnx is None and onnx_available())
    if onnx:
        require_onnx()
    architecture = (origin and origin.architecture) or type(student).__name__
    noted = dict(metrics if metrics is not None else origin.metrics if origin else {})
    network = copied(student).cpu().eval()
    made = target.parent / f".{target.name}.{os.getpid()}.partial"
    made.mkdir(parents=True)
    try:
        (made / "weights.safetensors").write_bytes(save(_contiguous(network.state_dict())))
        (made / "student.py").write_text(write_source(network, images, architecture), "utf-8")
        differences = _checked(network, made, images, onnx=onnx, pt2=pt2)
        quantised = None
        if int8 is not None:
            quantised = write_int8(network, made / "student.onnx", made / "student.int8.onnx", int8)
        costs = measure_costs(lambda: copied(network).to("meta"), images.shape)
        config = {
            "architecture": architecture,
            "params": costs.params,
            "macs": costs.macs,
            **asdict(images),
            **noted,
            **({} if quantised is None else {"int8": quantised.to_json()}),
        }
        write_json(made / "config.json", config)
        (made / "README.md").write_text(write_card(config, _sizes(made)), "utf-8")
        made.replace(target)  # over an empty folder, or where there is none
    finally:
        shutil.rmtree(made, ignore_errors=True)
    sizes = _sizes(target)
    return Exported(target, tuple(sizes), differences, sizes, quantised)


def _checked(
    network: nn.Module, folder: Path, images: ImageSpec, *, onnx: bool, pt2: bool
) -> dict[str, float]:
    """Write the other forms that are asked for; run every form on a fixed batch."""
    batch = torch.randn(CHECKED_IMAGES, *images.shape, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        expected = network(batch)
    differences = {"student.py": verify("student.py", folder, batch, expected)}
    if not (onnx or pt2):
        return differences
    program = export_program(network, batch)
    for form, asked, write in (
        ("student.pt2", pt2, write_archive),
        ("student.onnx", onnx, write_onnx),
    ):
        if asked:
            write(program, folder / form)
            differences[form] = verify(form, folder, batch, expected)
    return differences


def _sizes(folder: Path) -> dict[str, int]:
    return {file.name: file.stat().st_size for file in sorted(folder.iterdir())}


def _contiguous(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().clone().contiguous() for name, tensor in state.items()}
