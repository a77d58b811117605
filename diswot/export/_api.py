"""`export`: a student as plain source, weights, a description, an archive, ONNX and a card."""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import nn

from diswot.errors import ExportError, OptionError
from diswot.export._compared import check_same
from diswot.export._described import counted, describe
from diswot.export._evaluation import Reference, check_reported, check_same_data, evaluated
from diswot.export._formats import FORMATS, WEIGHTS, Format
from diswot.export._forms import Form, Forms
from diswot.export._network import standalone
from diswot.export._process import Process, Runner
from diswot.export._wanted import check_possible, wanted_forms
from diswot.options import takes_options
from diswot.runs import digest_of, writing_into
from diswot.runs.folder import check_new_folder
from diswot.students import Origin, origin_of, unwrapped
from diswot.tasks import Dataset, Task, find_task
from search_spaces import Signature


@dataclass(frozen=True)
class Exported:
    """What was exported.

    Attributes:
        folder: where.
        files: the files in it.
        forms: what was found of each form, run in a process of its own.
        left_out: forms that this student cannot have, with the reason.
        sizes: bytes of each file.
        noun: what one example is called.
    """

    folder: Path
    files: tuple[str, ...]
    forms: Mapping[str, Form]
    left_out: Mapping[str, str] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)
    noun: str = "example"

    @property
    def differences(self) -> dict[str, float]:
        """For each file, the largest difference of its outputs, in units of the largest output."""
        found = ((form.file, form.difference) for form in self.forms.values())
        return {file: difference for file, difference in found if difference is not None}

    @cached_property
    def digests(self) -> dict[str, str]:
        """SHA-256 of each file, as it is when this is first read."""
        return {name: digest_of(self.folder / name) for name in self.files}

    def to_json(self) -> dict[str, Any]:
        """Return what was exported as plain values."""
        return {
            "files": list(self.files),
            "forms": {name: form.to_json() for name, form in self.forms.items()},
            "left_out": dict(self.left_out),
        }


@takes_options
def export(
    student: nn.Module,
    folder: str | Path,
    *,
    signature: Signature | None = None,
    data: Any = None,
    task: str | Task | None = None,
    metrics: Mapping[str, Any] | None = None,
    onnx: bool | None = None,
    pt2: bool | None = None,
    int8: bool = False,
    formats: Sequence[str] | None = None,
    images: Any = None,
) -> Exported:
    """Write a student so that it runs without DisWOT.

    Writes `student.py` (imports torch alone), `weights.safetensors`, `student.pt2` (an archive
    of `torch.export`), `student.onnx`, `student.int8.onnx`, `config.json` (inputs,
    preprocessing, metrics, digests), a script `predict.py` and a model card, `README.md`.

    Forms do not depend on each other: one that this student cannot have is left out, with the
    reason, unless it was asked for. Each is run in a process of its own: it must give the
    network's outputs on a fixed batch and on one example alone, and with `data` answer as the
    network does on the whole test split; 8 bits are measured. Every form returns
    the output of the network as a tensor, also where the network returns more.

    Args:
        student: the network; it is read in evaluation mode and not changed. One that is
            compiled, parallel or an average is exported as the network inside; single
            precision is written.
        folder: where to write; must not exist, or be empty.
        signature: what it takes and gives; known of networks that a candidate built or that
            were distilled, and of copies of them.
        data: what it was trained on, a name or a dataset; every form is evaluated on its test
            split.
        task: what kind of data it is of; by default that of `data`, or `images`.
        metrics: what to note in `config.json`; by default what the distillation measured.
        onnx: whether to write ONNX; by default if the extra `onnx` is installed.
        pt2: whether to write the archive; by default unless `onnx` is `False`, which alone
            leaves the plain source.
        int8: whether to quantize too, on training examples of `data`; needs ONNX.
        formats: names of all formats to write, in place of `onnx`, `pt2` and `int8`: of
            `source`, which is always tried, `pt2`, `onnx`, `int8`, `openvino`, `executorch`,
            `litert` and `coreml`.
        images: an `ImageSpec`, from which version 0.1.0 took what `signature` says.

    Raises:
        ExportError: no form can be written, one that was asked for cannot, or the network has
            another measure than was reported; nothing is left.
        MissingExtraError: what a format is written with is not installed.
        NetworkError: the student cannot be copied.
        OptionError: the student was made for other inputs than those of `data`, or options
            contradict each other.
        RunFolderError: the folder is not empty or cannot be written, or another process is at
            work in the run that it lies in.

    Examples:
        >>> import tempfile
        >>> from diswot.tasks.images import load_data
        >>> from search_spaces import CifarResNet
        >>> student = CifarResNet((1, 1, 1), num_classes=10, in_channels=1)
        >>> place = Path(tempfile.mkdtemp()) / "student"
        >>> done = export(student, place, data="digits", onnx=False)
        >>> done.files
        ('README.md', 'config.json', 'predict.py', 'student.py', 'weights.safetensors')
        >>> done.forms["source"].measure.n
        1297
    """
    target = Path(folder)
    check_new_folder(target)
    if signature is None and images is not None:
        signature = images.signature
    kind = _task_of(task, data)
    dataset = None if data is None else kind.load(data)
    wanted = wanted_forms(onnx=onnx, pt2=pt2, int8=int8, formats=formats)
    if "int8" in wanted and dataset is None:
        raise OptionError("int8 is quantized on training examples: name them as data")
    origin = origin_of(student)
    takes = _signature_of(origin, signature, dataset)
    architecture = (origin and origin.architecture) or type(unwrapped(student)).__name__
    noted = metrics if metrics is not None else origin.metrics if origin else {}
    packaging = kind.packaging(takes, dataset)
    network = standalone(student)
    with writing_into(str(target)), _appearing(target) as made:
        forms = Forms(network, made, packaging, architecture=architecture, dataset=dataset)
        written, left_out = _fill(forms, wanted, noted, kind)
    sizes = {file.name: file.stat().st_size for file in sorted(target.iterdir())}
    return Exported(target, tuple(sizes), written, left_out, sizes, kind.noun)


def _task_of(task: str | Task | None, data: Any) -> Task:
    """Return the task that is named, that of a dataset, or that of images."""
    found = getattr(data, "task", None) if task is None else task
    if isinstance(found, Task):
        return found
    return find_task() if task is None else find_task(task)


def _signature_of(
    origin: Origin | None, signature: Signature | None, dataset: Dataset | None
) -> Signature:
    """Return what a student takes: as given, as it was built for, or that of the dataset.

    Raises:
        ExportError: it is not known.
        OptionError: it is not that of the dataset.
    """
    takes = signature or (origin.signature if origin else dataset.signature if dataset else None)
    if takes is None:
        raise ExportError(
            "what this network takes is not known: pass signature=Signature(…) or data=…"
        )
    if dataset is not None:
        check_same_data(dataset, takes)
    return takes


def _fill(
    forms: Forms, wanted: Mapping[str, bool], metrics: Mapping[str, Any], task: Task
) -> tuple[dict[str, Form], dict[str, str]]:
    """Write forms, weights, description and card; return the forms, and why others are left out.

    Raises:
        ExportError: no form can be written, one that was asked for cannot, or the network has
            another measure than `metrics` hold.
    """
    reference = None
    if forms.dataset is not None:
        reference = evaluated(forms.network, forms.dataset)
        check_reported(reference, metrics)
    written, left_out = _written(forms, wanted, reference)
    if not (forms.folder / WEIGHTS).exists():
        forms.write_weights()
    describe(forms, written, left_out, metrics, reference, task)
    return written, left_out


def _written(
    forms: Forms, wanted: Mapping[str, bool], reference: Reference | None
) -> tuple[dict[str, Form], dict[str, str]]:
    """Write the forms that are wanted and run each; return them, and why others are left out."""
    written, left_out = {}, {}
    with Runner(forms.folder, forms.packaging.signature.names) as runner:
        for name in wanted:
            try:
                forms.write(name)
                written[name] = _found(name, forms, reference, runner)
            except ExportError as error:
                for file in set(FORMATS[name].files) - {WEIGHTS}:
                    (forms.folder / file).unlink(missing_ok=True)
                left_out[name] = str(error)
    check_possible(wanted, left_out)
    return written, left_out


def _found(name: str, forms: Forms, reference: Reference | None, runner: Runner) -> Form:
    """Run a form in a process of its own where something runs it, and compare it."""
    form, size = FORMATS[name], counted(forms.folder, name)
    if form.run is None:
        return Form(form.file, size)
    with runner.process(form) as process:
        return _compared(form, size, forms, reference, process)


def _compared(
    form: Format, size: int, forms: Forms, reference: Reference | None, process: Process
) -> Form:
    """Compare a form in its process with the network."""
    file, exact = form.file, form.exact
    outputs = [process(*inputs).float() for inputs in forms.cases]
    difference = check_same(file, outputs, forms.expected) if exact else None
    milliseconds = process.milliseconds(*forms.cases[1])
    measure = None
    if reference is not None:
        measure = reference.check(file, process) if exact else reference.measured(process)
    return Form(file, size, milliseconds, torch.get_num_threads(), difference, measure)


@contextmanager
def _appearing(target: Path) -> Iterator[Path]:
    """Yield a folder that becomes `target` once it is whole; whatever fails leaves nothing."""
    made = target.parent / f".{target.name}.{os.getpid()}.partial"
    made.mkdir(parents=True)
    try:
        yield made
        made.replace(target)  # over an empty folder, or where there is none
    finally:
        shutil.rmtree(made, ignore_errors=True)
