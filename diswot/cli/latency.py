"""`diswot latency`: measure latencies, or calibrate their prediction."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from diswot.cli import _options as shared
from diswot.cli._declared import Folder
from diswot.cli._numbers import Whole
from diswot.cli._progress import displayed_progress
from diswot.cli._tables import optional, print_json, print_table
from diswot.cli._terminal import say
from diswot.devices import find_device
from diswot.errors import OptionError
from diswot.options import RUNTIMES

if TYPE_CHECKING:
    from diswot.latency import LatencyMeasurement, OperatorTable
    from diswot.progress import Progress
    from diswot.tasks import Subject
    from search_spaces import SearchSpace, Signature

BUSY = 0.1
"""`measurement_noise` above which a calibration should be repeated."""

_SUBJECT = shared.options(
    shared.TASK,
    shared.SPACE,
    shared.DATA,
    shared.IMAGE_SIZE,
    shared.DATA_ROOT,
    shared.DEVICE,
    click.option(
        "--threads",
        type=click.IntRange(min=1, max=os.cpu_count()),
        default=1,
        show_default=True,
        help="Threads that the runtime may use.",
    ),
    click.option(
        "--form",
        type=click.Choice(list(RUNTIMES)),
        help="Runtime to time: PyTorch (eager), ONNX Runtime, or torch.compile; by default onnx "
        "if it is installed.",
    ),
    click.option(
        "--batch",
        type=Whole(min=1, max=1_000_000),
        default=1,
        show_default=True,
        help="Images in one forward pass.",
    ),
)


@click.group()
def latency() -> None:
    """Measure latencies of architectures, or calibrate a space to predict all of them.

    Example: diswot latency calibrate --space s0 --data digits --out s0-cpu.json
    """


@latency.command()
@_SUBJECT
@click.option(
    "--sample",
    type=Whole(min=1, max=1_000_000),
    default=60,
    show_default=True,
    help="Architectures to measure; the error is measured on a third of them.",
)
@shared.SEED
@click.option(
    "--out",
    type=Folder(),
    help="File to write (.json); by default named after space and device.",
)
@shared.JSON
def calibrate(
    task: str,
    space: str | None,
    data: str | None,
    image_size: int | None,
    stream_above: float | None,
    data_root: str | None,
    device: str | None,
    form: str | None,
    out: Path | None,
    as_json: bool,
    **chosen: Any,
) -> None:
    """Measure the operators of a space, so that a search can predict latencies.

    Operators are timed in PyTorch. The latency of whole networks in the runtime of --form is
    predicted from them. Run this on an idle machine.

    Example: diswot latency calibrate --space nas-bench-201 --data cifar10 --threads 1
    """
    import numpy as np

    from diswot.latency import calibrate as measure_operators
    from diswot.latency import write_operator_table

    found_device = find_device(device)
    timed_form = _found_form(form, found_device)
    own_options = {"image_size": image_size, "stream_above": stream_above}
    subject = _subject(task, space, data, data_root=data_root, **own_options)
    path = out or Path(f"{subject.space}-{found_device}.json".replace(":", "-"))
    # Before the measurements, which take minutes.
    _check_new(path)
    with displayed_progress() as progress:
        result, images = _found(subject, progress)
        table = measure_operators(
            result, images, found_device, form=timed_form, progress=progress, **chosen
        )
    write_operator_table(table, path)
    if as_json:
        print_json(_summary(table, path))
        return
    _print(table, path)
    typical = float(np.median([architecture.measured_ms for architecture in table.architectures]))
    say(
        f"Next: diswot search --space {subject.space} --data {subject.data} "
        f"--latency {path} --max-latency-ms {typical:.2g}"
    )


@latency.command()
@click.argument("architectures", nargs=-1, required=True, metavar="ARCHITECTURE...")
@_SUBJECT
@shared.JSON
def measure(
    architectures: tuple[str, ...],
    task: str,
    space: str | None,
    data: str | None,
    image_size: int | None,
    stream_above: float | None,
    data_root: str | None,
    device: str | None,
    threads: int,
    batch: int,
    form: str | None,
    as_json: bool,
) -> None:
    """Measure given architectures on this machine.

    Example: diswot latency measure 1-1-1 7-7-7 --space s0 --data cifar10
    """
    from diswot.latency import MeasuredLatency
    from diswot.search import parse_architecture

    found_device = find_device(device)
    timed_form = _found_form(form, found_device)
    own_options = {"image_size": image_size, "stream_above": stream_above}
    subject = _subject(task, space, data, data_root=data_root, **own_options)
    with displayed_progress() as progress:
        result, images = _found(subject, progress)
        archs = {text: parse_architecture(result, text) for text in architectures}
        timed = MeasuredLatency(result, images, found_device, batch, threads, form=timed_form)
        measured = {text: timed.measure(arch) for text, arch in archs.items()}
    if as_json:
        rows = [{"architecture": text} | asdict(item) for text, item in measured.items()]
        print_json({"architectures": rows})
        return
    print_table(
        f"Latency {timed.name}",
        ["architecture", "median", "IQR", "outliers", "runs"],
        [[text, *_cells(item)] for text, item in measured.items()],
        caption=(
            "Outliers are runs farther from the quartiles than 1.5 times their distance (IQR); "
            "many of them mean that the machine is busy."
        ),
    )
    say(f"Next: diswot latency calibrate --space {subject.space} --data {subject.data}")


def _cells(measured: LatencyMeasurement) -> list[str]:
    return [
        f"{measured.median_ms:.3g} ms",
        f"{measured.iqr_ms:.2g} ms",
        f"{measured.outliers:.1%}",
        str(measured.runs),
    ]


def _found_form(form: str | None, device: str) -> str:
    """Return the form to time, after checking that it can run on the device."""
    from diswot.latency import check_form, default_form

    result = form or default_form(device)
    check_form(result, device)
    return result


def _subject(
    task: str, space: str | None, data: str | None, **options: str | float | None
) -> Subject:
    from diswot.tasks import find_subject

    return find_subject({"task": task, "data": data, **options}, space=space)


def _found(subject: Subject, progress: Progress) -> tuple[SearchSpace, Signature]:
    from diswot.search import check_space, find_space
    from diswot.seeding import generator_for

    data = subject.load(progress)
    space = find_space(subject.space, data.signature)
    check_space(space, data, generator_for(0, "check"))
    return space, data.signature


def _check_new(path: Path) -> None:
    if path.suffix != ".json":
        raise OptionError(f"Expected a .json file for the calibration, but got --out {path}")
    if path.exists():
        raise OptionError(f"{path} exists: name another file with --out, or remove it")
    if not (path.parent.is_dir() and os.access(path.parent, os.W_OK)):
        raise OptionError(f"{path.parent} is not a writable folder: name another with --out")


def _summary(table: OperatorTable, path: Path) -> dict[str, object]:
    operators = len(table.operators)
    about = {
        "file": str(path),
        "operators": operators,
        "measurement_noise": table.measurement_noise,
    }
    return about | asdict(table.error)


def _print(table: OperatorTable, path: Path) -> None:
    measured = [architecture.measured_ms for architecture in table.architectures]
    error = table.error
    print_table(
        f"Error of predicted latencies, on {error.architectures} architectures that were held out",
        ["median error", "90 % within", "Spearman ρ", "operators", "fastest", "slowest"],
        [
            [
                f"{error.median:.1%}",
                f"{error.p90:.1%}",
                optional(error.spearman, ".3f"),
                str(len(table.operators)),
                f"{min(measured):.3g} ms",
                f"{max(measured):.3g} ms",
            ]
        ],
        caption=(
            f"Networks in {RUNTIMES[table.form]} on {table.device}, batch {table.batch}, threads "
            f"{table.threads}. Prediction: "
            f"{table.intercept:.3g} ms + {table.slope:.3g} × the sum of a network's operators, "
            f"fitted to the other {len(measured) - error.architectures} architectures."
        ),
    )
    say(f"Wrote {path}")
    if table.measurement_noise > BUSY:
        say(
            f"The machine was busy: the median run was {table.measurement_noise:.0%} slower than "
            "the fastest tenth; calibrate again when it is idle."
        )
