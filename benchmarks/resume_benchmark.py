"""Overhead of resumable searches: killed and resumed, with workers, over huge spaces."""

import json
import random
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from diswot.devices import torch_threads
from diswot.progress import Progress, Step, tracked
from diswot.runs import CHECKSUM, line_with_checksum
from diswot.search import SearchResult, resume, search
from diswot.tasks.images import load_data
from diswot.workers import Workers
from search_spaces import Architecture, Choice, ChoiceSpace

KILLS = 200
LIFE = (1.5, 7.0)
"""Seconds after which a process is killed; it needs three to start."""
LINES = 100_000
EPOCHS = 240
"""Of the published recipe for CIFAR-100."""
BATCH = 64
"""Of the published recipe."""
WHOLE = 50_000
"""Training images of CIFAR-100."""


@dataclass(frozen=True)
class Figure:
    """One measured figure.

    Attributes:
        what: what was measured.
        value: the figure.
        unit: its unit.
        how: on what.
    """

    what: str
    value: float
    unit: str
    how: str


class Huge(ChoiceSpace):
    """10^12 architectures, tiny ones."""

    a = Choice(*range(1, 101))
    b = Choice(*range(1, 101))
    c = Choice(*range(1, 101))
    d = Choice(*range(1, 101))
    e = Choice(*range(1, 101))
    f = Choice(*range(1, 101))

    def build(self, arch: Architecture, num_classes: int) -> nn.Module:
        """Build a network of one convolution."""
        layers = nn.Conv2d(1, arch.a, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
        return nn.Sequential(*layers, nn.Linear(arch.a, num_classes))


def resume_benchmark(root: Path, progress: Progress) -> list[Figure]:
    """Measure everything here."""
    return [*workers(root), *long_journals(), *against_training(root), *kills(KILLS, progress)]


def workers(root: Path, *, generations: int = 4) -> Iterator[Figure]:
    """Throughput of two workers over one, and what an engine adds to scoring."""
    how = f"evolution, {20 * (generations + 1)} cells of NAS-Bench-201, CIFAR-10, ResNet-110"
    rates = {count: _rate(root, count, generations) for count in (1, 2)}
    yield Figure("overhead", 100 * rates[1].overhead, "% of the run", how)
    for count, rate in rates.items():
        yield Figure(f"throughput, workers: {count}", rate.per_second, "candidates/s", how)
    ratio = rates[2].per_second / rates[1].per_second
    yield Figure("throughput, two workers relative to one", ratio, "×", how)


@dataclass(frozen=True)
class _Rate:
    per_second: float
    overhead: float


def _rate(root: Path, count: int, generations: int) -> _Rate:
    moments: list[float] = []

    def note(step: Step) -> None:
        if step.stage == "score" and step.done:
            moments.append(time.perf_counter())

    with TemporaryDirectory() as folder:
        result = search(
            "resnet110",
            "nas-bench-201",
            data="cifar10",
            data_root=root,
            generations=generations,
            workers=count,
            out=Path(folder) / "run",
            progress=note,
        )
    # from the end of the first generation, when all processes are at work
    started = moments[19]
    spent = sum(candidate.seconds for candidate in result.candidates[20:])
    seconds = moments[-1] - started
    return _Rate((len(moments) - 20) / seconds, (seconds - spent) / seconds)


def long_journals() -> Iterator[Figure]:
    """Resume a search of 100,000 candidates, each engine in a process of its own."""
    for engine in ("evolution", "regularized", "nsga2"):
        with TemporaryDirectory() as folder:
            run = Path(folder) / "run"
            _long_journal(run, engine)
            with Workers(1) as process:
                seconds, gib = process.submit(_resume_long, run).result()
        how = f"{engine}, a space of 10^12, a journal of {LINES:,} lines, 20 more candidates"
        yield Figure("resume", seconds, "s", how)
        yield Figure("resume, peak memory", gib, "GiB", how)


def _resume_long(folder: Path) -> tuple[float, float]:
    """Resume the search in `folder`, and return seconds and GiB."""
    started = time.perf_counter()
    resume(folder, space=Huge(), generations=LINES // 20)
    seconds = time.perf_counter() - started
    gib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return seconds, gib


def _long_journal(run: Path, engine: str) -> None:
    """Start a search and fill its journal with random candidates."""
    space, rng = Huge(), np.random.default_rng(0)
    result = search(
        "resnet20", space, engine=engine, out=run, generations=0, repeats=3, batch_size=8
    )
    line = json.loads((run / "journal.jsonl").read_text().splitlines()[0])
    keys = {candidate.key for candidate in result.candidates}
    del line[CHECKSUM]
    with (run / "journal.jsonl").open("ab") as file:
        while len(keys) < LINES:
            arch = space.sample(rng)
            key = space.canonical_key(arch)
            if key in keys:
                continue
            line |= {
                "number": len(keys),
                "architecture": space.to_string(arch),
                "key": key,
                "params": int(rng.integers(10**6)),
                "macs": int(rng.integers(10**8)),
                "terms": {name: list(rng.normal(size=3)) for name in line["terms"]},
            }
            file.write(line_with_checksum(line))
            keys.add(key)


def against_training(root: Path) -> Iterator[Figure]:
    """Cost of a default search on S0 against that of training its winner as published."""
    how = "S0, CIFAR-100, ResNet-110, one thread"
    data = load_data("cifar100", root=root)
    started = time.perf_counter()
    result = search("resnet110", "s0", data=data)
    searching = time.perf_counter() - started
    step = _training_step(result, data)
    training = step * EPOCHS * (WHOLE // BATCH)
    yield Figure("default search", searching, "s", f"{how}, {len(result.candidates)} candidates")
    yield Figure("training step", step, "s", f"{how}, batch {BATCH}, {result.best.name}")
    recipe = f"{EPOCHS} epochs of {WHOLE // BATCH} steps, extrapolated from one step"
    yield Figure("training one candidate", training, "s", f"{how}, {recipe}")
    yield Figure("training one candidate, relative to a search", training / searching, "×", how)
    everything = training * len(result.candidates) / searching
    yield Figure("training all candidates, relative to a search", everything, "×", how)


def _training_step(result: SearchResult, data: Any) -> float:
    network = result.best.build().train()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.05, momentum=0.9)
    images, labels = data.normalize(data.train.images[:BATCH]), data.train.labels[:BATCH]

    def step() -> None:
        optimizer.zero_grad()
        F.cross_entropy(network(images), labels).backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    with torch_threads(1):
        return float(np.median([_seconds(step) for _ in range(12)][2:]))


def _seconds(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def kills(count: int, progress: Progress) -> Iterator[Figure]:
    """Kill and resume a search at random times, half of them with two workers."""
    with TemporaryDirectory() as folder:
        undisturbed, killed = Path(folder) / "undisturbed", Path(folder) / "killed"
        subprocess.run(_command(undisturbed, 1), capture_output=True, check=True)  # noqa: S603
        rng = random.Random(0)  # noqa: S311
        done, lives = 0, 0
        for number in tracked(range(count), progress, "kills", count):
            with subprocess.Popen(  # noqa: S603
                _command(killed, 1 + number % 2),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            ) as process:
                try:
                    process.wait(rng.uniform(*LIFE))
                    lives += 1
                except subprocess.TimeoutExpired:
                    process.kill()
                    done += 1
        subprocess.run(_command(killed, 1), capture_output=True, check=True)  # noqa: S603
        same = (undisturbed / "result.json").read_bytes() == (killed / "result.json").read_bytes()
        numbers = [_numbers(run) for run in (undisturbed, killed)]
        cells = f"{len(numbers[0]):,} cells of NAS-Bench-201"
        how = f"evolution, {cells}, alternately one and two workers"
        yield Figure(
            "kills", done, "SIGKILLs", f"{how}; {lives} of {count} after the end of the search"
        )
        yield Figure("same final result", float(same), "(1: yes)", how)
        yield Figure("lines lost", len(set(numbers[0]) - set(numbers[1])), "lines", how)
        yield Figure("lines duplicated", len(numbers[1]) - len(set(numbers[1])), "lines", how)


def _command(run: Path, workers: int) -> list[str]:
    """Return the command that starts a search, or resumes it."""
    if not (run / "manifest.json").exists():
        shutil.rmtree(run, ignore_errors=True)
        options = "--teacher resnet20 --space nas-bench-201 --population 50 --generations 39"
        options += f" --repeats 2 --batch-size 16 --out {run}"
        task = ["search", *options.split()]
    else:
        task = ["resume", str(run)]
    return [sys.executable, "-m", "diswot", *task, "--workers", str(workers)]


def _numbers(run: Path) -> Sequence[int]:
    return [json.loads(line)["number"] for line in (run / "journal.jsonl").read_text().splitlines()]
