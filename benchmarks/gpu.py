"""What a GPU changes: equal scores, faster trainings, several processes on one device.

`make gpu` (or `python -m benchmarks.gpu`) runs all checks on the first NVIDIA GPU in less than
eight minutes, prints one table and writes `benchmarks/results/gpu.csv`. `--small` is the form of
the tests, which also runs on a CPU.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import numpy as np
import torch
from torch.utils.data import TensorDataset

from benchmarks.results_folder import keep
from diswot.bench.make_truth import TruthSettings, make_truth
from diswot.cli import print_table
from diswot.progress import silent
from diswot.scorers import scorers
from diswot.search import Budget, score, search
from diswot.tasks.images import ImageData, load_data
from diswot.training import distill
from search_spaces import Architecture, CifarResNet, NASBench201Space

TOLERANCE = 0.02
"""Largest relative difference between a score on the device and on the CPU."""

VARIANTS: dict[str, dict[str, Any]] = {
    "fp32": {},
    "fp32, channels-last": {"channels_last": True},
    "TF32": {"tf32": True},
    "bf16": {"precision": "bf16"},
    "bf16, channels-last": {"precision": "bf16", "channels_last": True},
    "bf16, channels-last, torch.compile": {
        "precision": "bf16",
        "channels_last": True,
        "compile": True,
    },
}


@dataclass(frozen=True)
class Size:
    """How much is measured.

    Attributes:
        scorers: names of the scorers that are compared.
        variants: names of the trainings.
        images: training images.
        batch_size: images of a step.
        depth: blocks per stage of the student.
        cells: cells of NAS-Bench-201 that are scored.
        candidates: candidates of a search.
        epochs: epochs of the students of a ground truth.
    """

    scorers: tuple[str, ...]
    variants: tuple[str, ...] = tuple(VARIANTS)
    images: int = 8_192
    batch_size: int = 256
    depth: int = 3
    cells: int = 200
    candidates: int = 60
    epochs: int = 20


@dataclass(frozen=True)
class Row:
    """A line of the table.

    Attributes:
        check: what was checked.
        case: which case of it.
        value: the measured value.
        unit: its unit.
        reference: the value that it is compared with; `None` if it is not compared.
        passed: whether it is as expected; `None` for a measurement alone.
    """

    check: str
    case: str
    value: float
    unit: str
    reference: float | None = None
    passed: bool | None = None


def small() -> Size:
    """Return the form of the tests."""
    variants = ("fp32", "fp32, channels-last", "bf16")
    return Size(("student_fit", "nwot"), variants, 64, 32, 1, cells=2, candidates=4, epochs=1)


def full() -> Size:
    """Return the whole measurement; scorers that the images task cannot compute are left out."""
    tokens = {name for name, scorer in scorers().items() if "tokens" in scorer.card.reads}
    return Size(tuple(name for name in scorers() if name not in tokens))


def equal_scores(size: Size, device: str) -> Iterator[Row]:
    """Compare each scorer on the device with the CPU, on a network of S0 with digits."""
    for name in size.scorers:
        values = {}
        for where in ("cpu", device):
            (candidate,) = score(
                ["1-1-1"], teacher="resnet20", space="s0", data="digits", scorer=name, device=where
            )
            values[where] = candidate.score or 0.0
        cpu, other = values["cpu"], values[device]
        near = abs(other - cpu) <= TOLERANCE * max(abs(cpu), 1e-6)
        yield Row("score equals the CPU's", name, other, "", cpu, near)


def training_steps(size: Size, device: str) -> Iterator[Row]:
    """Time the training loop with each acceleration; the reference is fp32."""
    data, plain = _images(size), None
    for name in size.variants:
        if VARIANTS[name].get("tf32") and not device.startswith("cuda"):
            continue
        student, teacher = (_network(size, data) for _ in range(2))
        done = distill(
            student,
            teacher,
            data=data,
            epochs=2,
            train_batch_size=size.batch_size,
            device=device,
            force=True,
            **VARIANTS[name],
        )
        speed = done.history[-1].examples_per_second
        plain = plain or speed
        yield Row("training", name, speed, "images/s", plain)


def two_processes(size: Size, device: str) -> Iterator[Row]:
    """Score the same cells in one process, and in two at a time on one device."""
    job = partial(_score_cells, size.cells, device)
    job()  # the first call starts the device
    alone = _seconds(job)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        list(pool.map(_score_cells, (1, 1), (device, device)))  # starts both
        started = time.perf_counter()
        list(pool.map(_score_cells, (size.cells, size.cells), (device, device)))
        both = time.perf_counter() - started
    yield Row("cells per second", "one process", size.cells / alone, "cells/s")
    yield Row(
        "cells per second", "two processes", 2 * size.cells / both, "cells/s", size.cells / alone
    )
    minutes = len(_different_cells()) * alone / size.cells / 60
    yield Row(f"all {NASBench201Space().size:,} cells", f"from {size.cells}", minutes, "min")


def searches(size: Size, device: str) -> Iterator[Row]:
    """Search with one and with several workers on one device: same winner."""
    best, seconds = {}, {}
    for workers in (1, 2):
        started = time.perf_counter()
        result = search(
            "resnet20",
            "s0",
            data="digits",
            budget=Budget(params=300_000),
            population=size.candidates // 2,
            generations=1,
            workers=workers,
            device=device,
            progress=False,
        )
        best[workers], seconds[workers] = result.best.name, time.perf_counter() - started
        same = best[workers] == best[1]
        yield Row("search", f"{workers} workers", seconds[workers], "s", seconds[1], same)


def mobile_truth(size: Size, device: str) -> Iterator[Row]:
    """Time a student of a ground truth of the mobile space, alone and distilled."""
    settings = TruthSettings(
        space="mobile-small",
        data="digits",
        teacher="resnet20",
        teacher_epochs=size.epochs,
        epochs=size.epochs,
        seeds=1,
        sample=2,
        device=device,
        force=True,
    )
    with TemporaryDirectory() as folder:
        out = Path(folder) / "truth"
        seconds = _seconds(lambda: make_truth(settings, out, progress=silent))
    yield Row("truth of mobile students", f"{size.epochs} epochs", seconds / 2, "s per student")


CHECKS: tuple[Callable[[Size, str], Iterator[Row]], ...] = (
    equal_scores,
    training_steps,
    two_processes,
    searches,
    mobile_truth,
)


def _seconds(function: Callable[[], object]) -> float:
    started = time.perf_counter()
    function()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - started


@cache
def _different_cells() -> list[Architecture]:
    """Return one of the cells of NAS-Bench-201 that are equal and scored once, in random order."""
    space = NASBench201Space()
    cells = list({space.canonical_key(cell): cell for cell in space}.values())
    return [cells[i] for i in np.random.default_rng(0).permutation(len(cells))]


def _score_cells(count: int, device: str) -> None:
    """Score different cells of NAS-Bench-201 on noise of 32×32 pixels."""
    space, data = NASBench201Space(), replace(_images(small()), name="noise")
    cells = _different_cells()[:count]
    score(cells, teacher="resnet20", space=space, data=data, device=device)


def _images(size: Size) -> ImageData:
    """Return noise with labels: 3×32×32 pixels, 10 classes."""
    generator = torch.Generator().manual_seed(0)
    shape = (size.images, 3, 32, 32)
    images = torch.randint(256, shape, generator=generator, dtype=torch.uint8)
    labels = torch.arange(size.images) % 10
    few = slice(64)
    return load_data((TensorDataset(images, labels), TensorDataset(images[few], labels[few])))


def _network(size: Size, data: ImageData) -> CifarResNet:
    torch.manual_seed(0)
    return CifarResNet((size.depth,) * 3, num_classes=data.num_classes)


def _printed(row: Row) -> list[str]:
    reference = "" if row.reference is None else f"{row.reference:.4g}"
    passed = {None: "", True: "yes", False: "NO"}[row.passed]
    return [row.check, row.case, f"{row.value:.4g} {row.unit}", reference, passed]


@click.command()
@click.option("--device", default="cuda", show_default=True, help="A torch device.")
@click.option("--small", "is_small", is_flag=True, help="The form of the tests, not kept.")
def main(device: str, is_small: bool) -> None:
    """Run all checks on one GPU and print a table."""
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise click.UsageError(
            "torch finds no NVIDIA GPU here: run it on a machine with one, or its small form with "
            "--device cpu --small"
        )
    started, size = datetime.now(UTC), small() if is_small else full()
    rows = [row for check in CHECKS for row in check(size, device)]
    name = torch.cuda.get_device_name() if device.startswith("cuda") else device
    columns = ["check", "case", "value", "reference", "as expected"]
    print_table(f"GPU checks on {name}", columns, [_printed(row) for row in rows])
    if not is_small:
        keep("gpu", rows, {"device": name, "command": "python -m benchmarks.gpu"}, started)
    if any(row.passed is False for row in rows):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
