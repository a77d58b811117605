"""Run times of scorers, relative to a forward pass and to the published procedure."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from diswot.bench.measurement import MeasurementSettings, evaluator_for, measure, readable
from diswot.devices import torch_threads
from diswot.networks.costs import Costs, measure_costs
from diswot.options import DEFAULT_TASK
from diswot.progress import Progress, silent, tracked
from diswot.scorers import Scorer, all_terms, find_scorer
from diswot.search import Evaluator, ScoringContext, resolve_scoring
from search_spaces import Architecture, NASBench201Space, SearchSpace

SHARED = ("semantic_grad", "relation", "nwot")
"""Scorers that are also timed together, in one pass."""
BATCHES = (16, 32, 64, 128)
DEPTHS = ("1-1-1", "3-3-3", "5-5-5", "7-7-7")
WORKERS = (1, 2)
WORKED = 60
"""Number of cells of a whole measurement; enough that starting processes does not dominate."""


@dataclass(frozen=True)
class Timing:
    """A measured run time.

    Attributes:
        table: `scorers`, `procedures`, `batch`, `depth` or `workers`.
        what: scorer, procedure or setting.
        architectures: number of architectures over which it is averaged.
        ms: milliseconds per architecture.
        ratio: `ms` divided by that of the reference: a bare forward pass of the same networks
            in the same run; in `workers`, one worker.
    """

    table: str
    what: str
    architectures: int
    ms: float
    ratio: float


@dataclass(frozen=True)
class SpeedSettings:
    """Settings of `speed`, on random cells of NAS-Bench-201, CIFAR-10 and teacher ResNet-110.

    Attributes:
        scorers: names or expressions of scorers, each timed alone.
        architectures: number of cells on which each is timed.
        data_root: folder of CIFAR-10.
        seed: seed of cells, batches and initializations.
    """

    scorers: tuple[str, ...]
    architectures: int = 30
    data_root: str | None = None
    seed: int = 0


def speed(settings: SpeedSettings, progress: Progress) -> list[Timing]:
    """Time scorers and procedures, also by batch size, depth and workers, with one thread."""
    scorers = readable(settings.scorers, DEFAULT_TASK, progress)
    settings = replace(settings, scorers=scorers)
    with torch_threads(1):
        return [
            *_procedures(settings, progress),
            *_scorers(settings, progress),
            *_batches(settings, progress),
            *_depths(settings, progress),
            *_workers(settings, progress),
        ]


def time_alone(
    settings: MeasurementSettings, names: Sequence[str], progress: Progress, *, count: int = 3
) -> dict[str, float]:
    """Return scorer → milliseconds per architecture and repeat, each measured alone.

    The mean over `count` architectures, including building, after one warm-up that is not counted.
    """
    results: dict[str, float] = {}
    evaluator = evaluator_for(replace(settings, repeats=1))
    # Evenly spaced over the list, since architectures are often sorted by size.
    chosen = [names[i * len(names) // (count + 1)] for i in range(count + 1)]
    archs = [evaluator.space.from_string(text) for text in chosen]
    for name in tracked(settings.scorers, progress, "time alone", len(settings.scorers)):
        alone = evaluator.with_scorer(find_scorer(name))
        spent = [_scoring_seconds(alone, arch) for arch in archs]
        results[name] = round(1e3 * float(np.mean(spent[1:])), 3)
    return results


def _scoring_seconds(evaluator: Evaluator, arch: Architecture) -> float:
    evaluator.costs(arch)  # cached before the timing, as in a search
    return _seconds(partial(evaluator.evaluate, arch))


def _procedures(settings: SpeedSettings, progress: Progress) -> list[Timing]:
    context = _scoring_context(settings, "nas-bench-201", "diswot")
    evaluator, data = context.evaluator, context.data
    teacher = context.teacher.initialized(settings.seed)
    spent = _Spent()
    for arch in tracked(
        _cells(settings, context.space), progress, "procedures", settings.architectures
    ):
        build = partial(evaluator.space.network, arch, data.signature)
        costs = evaluator.costs(arch)  # cached before the timing, as in a search
        network = build().train()
        images, labels = _batch(evaluator, arch, costs)
        _bare_forward(network, images)  # warm-up, not counted
        procedures: dict[str, Callable[[], object]] = {
            "forward": partial(_bare_forward, network, images),
            "build": build,
            "diswot": partial(evaluator.evaluate, arch),
            "README procedure": partial(_readme_procedure, build, teacher, images, labels),
            "costs": partial(measure_costs, build, data.signature),
        }
        for name, procedure in procedures.items():
            spent.add(name, procedure)
    return spent.timings("procedures")


def _scorers(settings: SpeedSettings, progress: Progress) -> list[Timing]:
    names = [*dict.fromkeys((*settings.scorers, "+".join(SHARED)))]
    evaluator = _scoring_context(settings, "nas-bench-201", all_terms(names)).evaluator
    evaluators = {name: evaluator.with_scorer(find_scorer(name)) for name in names}
    cells = _cells(settings, evaluator.space)
    spent = _Spent()
    for arch in tracked(cells, progress, "scorers", len(cells)):
        _time_all(evaluators, arch, spent)
    return spent.timings("scorers")


def _batches(settings: SpeedSettings, progress: Progress) -> Iterator[Timing]:
    for size in tracked(BATCHES, progress, "batch", len(BATCHES)):
        evaluator = _scoring_context(settings, "s0", "diswot", batch_size=size).evaluator
        spent = _Spent()
        for _ in range(5):
            _time_all({f"batch {size}": evaluator}, (3, 3, 3), spent)
        yield from spent.timings("batch")[1:]


def _depths(settings: SpeedSettings, progress: Progress) -> Iterator[Timing]:
    evaluator = _scoring_context(settings, "s0", "diswot").evaluator
    for name in tracked(DEPTHS, progress, "depth", len(DEPTHS)):
        spent = _Spent()
        for _ in range(5):
            _time_all({name: evaluator}, evaluator.space.from_string(name), spent)
        yield from spent.timings("depth")[1:]


def _workers(settings: SpeedSettings, progress: Progress) -> list[Timing]:
    """Time whole measurements, including the start of the processes."""
    measurement = MeasurementSettings(
        "nas-bench-201",
        "cifar10",
        "resnet110",
        SHARED,
        repeats=1,
        seed=settings.seed,
        data_root=settings.data_root,
    )
    space = NASBench201Space()
    cells = _cells(replace(settings, architectures=WORKED), space)
    names = [space.to_string(arch) for arch in cells]
    timings: list[Timing] = []
    for workers in tracked(WORKERS, progress, "workers", len(WORKERS)):
        with TemporaryDirectory() as folder:
            run = partial(
                measure, measurement, names, Path(folder) / "run", workers=workers, progress=silent
            )
            ms = 1e3 * _seconds(run) / len(names)
        ratio = ms / timings[0].ms if timings else 1.0
        timings.append(Timing("workers", f"workers: {workers}", len(names), ms, ratio))
    return timings


def _scoring_context(
    settings: SpeedSettings, space: str, scorer: str | Scorer, *, batch_size: int = 64
) -> ScoringContext:
    return resolve_scoring(
        "resnet110",
        space,
        data="cifar10",
        data_root=settings.data_root,
        scorer=scorer,
        repeats=1,
        batch_size=batch_size,
        seed=settings.seed,
    )


def _cells(settings: SpeedSettings, space: SearchSpace) -> Sequence[Architecture]:
    rng = np.random.default_rng(settings.seed)
    return [space.sample(rng) for _ in range(settings.architectures)]


class _Spent:
    """Run times in seconds by name; `forward` is the reference."""

    def __init__(self) -> None:
        self._seconds: dict[str, list[float]] = {}

    def add(self, name: str, action: Callable[[], object]) -> None:
        self._seconds.setdefault(name, []).append(_seconds(action))

    def timings(self, table: str) -> list[Timing]:
        ms = {name: 1e3 * float(np.mean(values)) for name, values in self._seconds.items()}
        return [
            Timing(table, name, len(self._seconds[name]), mean, mean / ms["forward"])
            for name, mean in ms.items()
        ]


def _time_all(evaluators: dict[str, Evaluator], arch: Architecture, spent: _Spent) -> None:
    """Time a forward pass of `arch`, and all evaluators on it."""
    first = next(iter(evaluators.values()))
    images, _ = _batch(first, arch, first.costs(arch))
    space = first.space
    network = space.network(space.effective(arch), first.signature).train()
    _bare_forward(network, images)
    spent.add("forward", partial(_bare_forward, network, images))
    for name, evaluator in evaluators.items():
        evaluator.costs(arch)
        spent.add(name, partial(evaluator.evaluate, arch))


def _batch(
    evaluator: Evaluator, arch: Architecture, costs: Costs
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return images and labels of an evaluator's batch, in PyTorch's contiguous layout."""
    with evaluator.probe(arch, 0, costs) as (student, _):
        images, labels = student.inputs[0], student.targets
    return images.clone(memory_format=torch.contiguous_format), labels.clone()


@torch.inference_mode()
def _bare_forward(network: nn.Module, images: torch.Tensor) -> None:
    network(images)


def _readme_procedure(
    build: Callable[[], nn.Module], teacher: nn.Module, images: torch.Tensor, labels: torch.Tensor
) -> None:
    for network in (teacher.train(), build().train()):
        network.zero_grad()
        F.cross_entropy(network(images), labels).backward()  # type: ignore[no-untyped-call]


def _seconds(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started
