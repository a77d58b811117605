"""`export`: write a student as source, weights, archive, ONNX, … with a model card."""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import nn

from diswot.errors import ExportError, OptionError
from diswot.export._comparison import check_same
from diswot.export._description import counted, describe
from diswot.export._evaluation import Reference, check_reported, check_same_data, evaluated
from diswot.export._formats import FORMATS, WEIGHTS, Format
from diswot.export._forms import Form, Forms
from diswot.export._network import standalone
from diswot.export._process import Process, Runner
from diswot.export._requested_formats import check_fine_tuning, check_possible, wanted_forms
from diswot.networks import unwrapped
from diswot.options import takes_options
from diswot.runs import digest_of, writing_into
from diswot.runs.folder import check_new_folder
from diswot.students import Origin, origin_of
from diswot.tabular import Tabular
from diswot.tasks import Dataset, Task, find_task
from search_spaces import Signature


@dataclass(frozen=True)
class Exported(Tabular):
    """The result of an export.

    Attributes:
        folder: the folder.
        files: names of the files in it.
        forms: size, speed and deviation of each written format, by name.
        left_out: reasons why other formats were not written, by name.
        sizes: size of each file in bytes.
        noun: what the task calls one example.
    """

    folder: Path
    files: tuple[str, ...]
    forms: Mapping[str, Form]
    left_out: Mapping[str, str] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)
    noun: str = "example"

    @property
    def differences(self) -> dict[str, float]:
        """Largest deviation of outputs for each file, relative to the largest output."""
        result = ((form.file, form.difference) for form in self.forms.values())
        return {file: difference for file, difference in result if difference is not None}

    @cached_property
    def digests(self) -> dict[str, str]:
        """SHA-256 of each file, computed at the first access."""
        return {name: digest_of(self.folder / name) for name in self.files}

    @property
    def caption(self) -> str:
        """Folder and number of the formats in one line."""
        reasons = "".join(f"; no {name}: {reason}" for name, reason in self.left_out.items())
        count = len(self.forms)
        return f"{count} format{'s' if count != 1 else ''} in {self.folder}{reasons}"

    def to_records(self) -> list[dict[str, Any]]:
        """Return metric on the test split, latency, size and deviation of every format."""
        return [
            {
                "file": form.file,
                **({} if form.measure is None else {f"test {form.measure.name}": form.measure}),
                "milliseconds": form.milliseconds,
                "bytes": form.bytes,
                "difference": form.difference,
            }
            for form in self.forms.values()
        ]

    def to_json(self) -> dict[str, Any]:
        """Return the result as JSON values."""
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
    qat: bool = False,
    formats: Sequence[str] | None = None,
    images: Any = None,
) -> Exported:
    """Export a student so that it runs without DisWOT.

    Writes `student.py` (imports only torch), `weights.safetensors`, `student.pt2` (an archive
    of `torch.export`), `student.onnx`, `student.int8.onnx`, `config.json` (inputs,
    preprocessing, metrics, digests), a script `predict.py` and a model card, `README.md`.

    Formats are independent: one that is not possible for this student is left out with the
    reason, unless it was requested. Each format is run in a separate process: it must reproduce
    the network's outputs on a fixed batch and on a single example, and with `data` its
    predictions on the whole test split; for int8, only the metric is measured. Every format
    returns the output as one tensor, even if the network returns more.

    Args:
        student: the network, which is not changed. Compiled, parallel or averaged networks are
            exported as the network inside; weights are written in fp32.
        folder: the folder to write, new or empty.
        signature: shapes of inputs and outputs; not needed for networks that were built or
            distilled by DisWOT, and copies of these.
        data: the dataset it was trained on, by name or as an object; every format is evaluated
            on its test split.
        task: the task; by default that of `data`, or `images`.
        metrics: entries for `config.json`; by default the metrics of the distillation.
        onnx: whether to write ONNX; by default if the extra `onnx` is installed.
        pt2: whether to write the archive; by default yes, unless `onnx` is `False`.
        int8: whether to write a quantized ONNX file, calibrated on training examples of `data`.
        qat: whether the network is fine-tuned with simulated quantization (torchao) if int8
            loses more than one point on the validation split; the other formats stay as they
            are.
        formats: names of all formats to write, instead of `onnx`, `pt2` and `int8`: `source`
            (always tried), `pt2`, `onnx`, `int8`, `openvino`, `executorch`, `litert`, `coreml`.
        images: an `ImageSpec`, as accepted by version 0.1.0 instead of `signature`.

    Returns:
        The written files and what was measured for each format.

    Raises:
        ExportError: no format is possible, a requested one is not, or the network's metric
            differs from the reported one; then nothing is written.
        MissingExtraError: a package for a requested format is not installed.
        NetworkError: the student cannot be copied.
        OptionError: the student was made for other inputs than those of `data`, or options
            contradict each other.
        RunFolderError: the folder is not empty, cannot be written, or another process uses the
            run that contains it.

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
    # 1. Check the options, before anything is written.
    target = Path(folder)
    check_new_folder(target)
    if signature is None and images is not None:
        signature = images.signature
    kind = _task_of(task, data)
    dataset = None if data is None else kind.load(data)
    wanted = wanted_forms(onnx=onnx, pt2=pt2, int8=int8, formats=formats)
    check_fine_tuning(wanted, qat=qat)
    if "int8" in wanted and dataset is None:
        raise OptionError("int8 is quantized on training examples: name them as data")
    # 2. Signature, architecture and metrics: as given, else as recorded with the student.
    origin = origin_of(student)
    takes = _signature_of(origin, signature, dataset)
    architecture = (origin and origin.architecture) or type(unwrapped(student)).__name__
    noted = metrics if metrics is not None else origin.metrics if origin else {}
    packaging = kind.packaging(takes, dataset)
    network = standalone(student)
    # 3. Write and check all forms in a temporary folder, which is renamed when complete.
    with writing_into(str(target)), _appearing(target) as made:
        forms = Forms(network, made, packaging, architecture=architecture, dataset=dataset, qat=qat)
        written, left_out = _fill(forms, wanted, noted, kind)
    sizes = {file.name: file.stat().st_size for file in sorted(target.iterdir())}
    return Exported(target, tuple(sizes), written, left_out, sizes, kind.noun)


def _task_of(task: str | Task | None, data: Any) -> Task:
    """Return the given task, or that of the dataset, or `images`."""
    result = getattr(data, "task", None) if task is None else task
    if isinstance(result, Task):
        return result
    return find_task() if task is None else find_task(task)


def _signature_of(
    origin: Origin | None, signature: Signature | None, dataset: Dataset | None
) -> Signature:
    """Return the student's signature: as given, from its origin, or that of the dataset.

    Raises:
        ExportError: the signature is not known.
        OptionError: it differs from that of the dataset.
    """
    takes = signature or (origin.signature if origin else dataset.signature if dataset else None)
    if takes is None:
        raise ExportError(
            "the inputs of this network are not known: pass signature=Signature(…) or data=…"
        )
    if dataset is not None:
        check_same_data(dataset, takes)
    return takes


def _fill(
    forms: Forms, wanted: Mapping[str, bool], metrics: Mapping[str, Any], task: Task
) -> tuple[dict[str, Form], dict[str, str]]:
    """Write all files; return the written formats, and why others were left out.

    Raises:
        ExportError: no format is possible, a requested one is not, or the network's metric
            differs from that in `metrics`.
    """
    # Evaluate the student itself first: every exact form must reproduce its outputs.
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
    """Write and run the wanted formats; return them, and why others were left out."""
    written, left_out = {}, {}
    with Runner(forms.folder, forms.packaging.signature.names) as runner:
        for name in wanted:
            try:
                forms.write(name)
                written[name] = _found(name, forms, reference, runner)
            except ExportError as error:
                # A form that fails is removed and reported; the others are still written.
                for file in set(FORMATS[name].files) - {WEIGHTS}:
                    (forms.folder / file).unlink(missing_ok=True)
                left_out[name] = str(error)
    check_possible(wanted, left_out)
    return written, left_out


def _found(name: str, forms: Forms, reference: Reference | None, runner: Runner) -> Form:
    """Run a format in a separate process and compare its outputs, if it can run here."""
    form, size = FORMATS[name], counted(forms.folder, name)
    if form.run is None:
        return Form(form.file, size)
    with runner.process(form) as process:
        return _compared(form, size, forms, reference, process)


def _compared(
    form: Format, size: int, forms: Forms, reference: Reference | None, process: Process
) -> Form:
    """Compare outputs, speed and metric of a format with those of the network."""
    file, exact = form.file, form.exact
    # Compare outputs on random inputs, then latency on one input, then the test result.
    outputs = [process(*inputs).float() for inputs in forms.cases]
    difference = check_same(file, outputs, forms.expected) if exact else None
    milliseconds = process.milliseconds(*forms.cases[1])
    measure = None
    if reference is not None:
        measure = reference.check(file, process) if exact else reference.measured(process)
    found = Form(file, size, milliseconds, torch.get_num_threads(), difference, measure)
    if exact:
        return found
    return replace(found, layers=forms.layers, quantization=forms.quantization)


@contextmanager
def _appearing(target: Path) -> Iterator[Path]:
    """Yield a temporary folder that is renamed to `target` at the end, or removed on errors."""
    partial = target.parent / f".{target.name}.{os.getpid()}.partial"
    partial.mkdir(parents=True)
    try:
        yield partial
        partial.replace(target)  # replaces an empty folder, if there is one
    finally:
        shutil.rmtree(partial, ignore_errors=True)
