"""Accuracy, milliseconds and bytes of two students in every export format.

`python -m benchmarks.device_formats --out formats`

Formats whose packages are not installed are skipped. Run the same command in another environment,
with the same folder, to add them: the extra `litert` needs its own one. The table is written
from all of them.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import click
import numpy as np
import torch
from torch import nn

from benchmarks.results_folder import keep
from diswot.bench.record_store import RecordStore
from diswot.cli import displayed_progress
from diswot.export import FORMATS, Exported, Form, export
from diswot.hub import HubStudent
from diswot.progress import Progress, Step
from diswot.runtimes import installed
from diswot.search import find_space
from diswot.students import build_student
from diswot.tasks.images import ImageData, load_data
from diswot.training import distill

Times: TypeAlias = dict[str, float]
Run: TypeAlias = Callable[..., Any]

REFERENCE = "onnx"
"""Format that every environment has; the others are timed in turns with it."""


@dataclass(frozen=True)
class FormatSettings:
    """What is exported and how it is timed.

    Attributes:
        students: space → architecture of its student.
        data: the dataset.
        teacher: the teacher, trained on the data.
        epochs: epochs of the distillation.
        rounds: number of times that every format is timed, in turns with the others.
        passes: images in each round; the fastest pass of all rounds is the latency, because
            other work on a machine only slows a pass down.
    """

    students: Mapping[str, str]
    data: str = "digits"
    teacher: str = "resnet20"
    epochs: int = 40
    rounds: int = 5
    passes: int = 100


SETTINGS = FormatSettings(
    {
        "s0": "1-1-1",
        "mobile": "resolution=12,width=0.5,squeeze=True,activation=hardswish,"
        "stage1=d1k5e6,stage2=d1k3e6,stage3=d2k5e6,stage4=d1k5e2,stage5=d1k3e6",
    }
)


@dataclass(frozen=True)
class FormatRow:
    """A student in one format.

    Attributes:
        space: space of the student.
        arch: its architecture.
        params: parameters.
        format: name of the format.
        accuracy: share of correct test images; missing if the format does not run here, as the
            next five.
        low: lower limit of its 95 % interval.
        high: upper limit.
        difference: largest deviation from the outputs of the network, relative to the largest
            output; missing for int8.
        milliseconds: fastest pass of one image with one thread.
        relative: milliseconds divided by those of ONNX, timed in turns with it.
        bytes: size of all files of the format.
        runtime: package that ran it, or converted it, with its version.
    """

    space: str
    arch: str
    params: int
    format: str
    accuracy: float | None
    low: float | None
    high: float | None
    difference: float | None
    milliseconds: float | None
    relative: float | None
    bytes: int
    runtime: str


def trained(space: str, settings: FormatSettings, data: ImageData, folder: Path) -> nn.Module:
    """Return the student of a space; it is distilled once, and read from `folder` later."""
    if not folder.exists():
        found = find_space(space, data.signature)
        arch = found.from_string(settings.students[space])
        student = build_student(found, arch, data.signature, seed=0)
        distill(student, settings.teacher, data=data, epochs=settings.epochs)
        export(student, folder, data=data, formats=["source"])
    return HubStudent.from_pretrained(folder, space=space).network


def installed_formats() -> list[str]:
    """Return the formats whose packages are installed."""
    return [name for name, item in FORMATS.items() if installed(item.packages)]


def timed(exported: Exported, image: np.ndarray[Any, Any], settings: FormatSettings) -> Times:
    """Return the milliseconds of the fastest pass of each format that runs here."""
    runs = {
        name: item.run(exported.folder / item.file, ["images"], 1)
        for name, item in FORMATS.items()
        if name in exported.forms and item.run is not None
    }
    fastest = dict.fromkeys(runs, math.inf)
    for _ in range(settings.rounds):
        for name, run in runs.items():
            fastest[name] = min(fastest[name], *_passes(run, image, settings.passes))
    return fastest


def _passes(run: Run, image: np.ndarray[Any, Any], count: int) -> Iterator[float]:
    """Yield the milliseconds of passes, after three that are not timed."""
    for number in range(count + 3):
        started = time.perf_counter()
        run(image)
        if number >= 3:
            yield 1e3 * (time.perf_counter() - started)


def measured(
    space: str, network: nn.Module, names: Sequence[str], settings: FormatSettings, data: ImageData
) -> list[FormatRow]:
    """Export a student in several formats, and evaluate and time them."""
    with TemporaryDirectory() as folder:
        exported = export(network, Path(folder) / "student", data=data, formats=names)
        image = data.batch("test", torch.arange(1)).inputs[0].numpy()
        times = timed(exported, image, settings)
    return [
        _row(space, settings.students[space], network, name, form, times)
        for name, form in exported.forms.items()
    ]


def _row(
    space: str, arch: str, network: nn.Module, name: str, form: Form, times: Times
) -> FormatRow:
    milliseconds, measure = times.get(name), form.measure
    package = FORMATS[name].runtime
    return FormatRow(
        space=space,
        arch=arch,
        params=sum(parameter.numel() for parameter in network.parameters()),
        format=name,
        accuracy=None if measure is None else measure.value,
        low=None if measure is None else measure.low,
        high=None if measure is None else measure.high,
        difference=form.difference,
        milliseconds=milliseconds,
        relative=milliseconds and milliseconds / times[REFERENCE],
        bytes=form.bytes,
        runtime=f"{package} {version(package)}",
    )


def format_rows(settings: FormatSettings, out: Path, *, progress: Progress) -> list[FormatRow]:
    """Measure the formats that are installed here, and return all rows so far.

    Args:
        settings: students, data and teacher.
        out: a new folder, or one with rows of other formats.
        progress: called after every student.
    """
    data = load_data(settings.data)
    with RecordStore(out / "rows", asdict(settings), key=["space", "format"]) as store:
        for done, space in enumerate(settings.students, start=1):
            network = trained(space, settings, data, out / space)
            missing = [name for name in installed_formats() if (space, name) not in store.records]
            if missing:
                names = list(dict.fromkeys([REFERENCE, *missing]))
                rows = measured(space, network, names, settings, data)
                store.append(*(asdict(row) for row in rows if row.format in missing))
            progress(Step("export", done, len(settings.students), space))
        records = store.records
    every = ((space, name) for space in settings.students for name in FORMATS)
    return [_read(records[key]) for key in every if key in records]


def _read(record: Mapping[str, Any]) -> FormatRow:
    return FormatRow(**{field.name: record[field.name] for field in fields(FormatRow)})


@click.command()
@click.option("--out", type=click.Path(path_type=Path), required=True, help="A folder.")
def main(out: Path) -> None:
    """Export two students in all formats that are installed here."""
    torch.set_num_threads(1)
    started = datetime.now(UTC)
    with displayed_progress() as progress:
        rows = format_rows(SETTINGS, out, progress=progress)
    note = "milliseconds: measured while other processes used the machine"
    command = "python -m benchmarks.device_formats"
    keep("formats", rows, {**asdict(SETTINGS), "note": note, "command": command}, started)


if __name__ == "__main__":
    main()
