"""What the default score costs: ratios in one run, in processor time of one thread.

`python -m benchmarks score-costs --data-root DATA`
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from diswot.devices import torch_threads
from diswot.progress import Progress, tracked
from diswot.search import resolve_scoring, search

CELLS, IMAGES = 30, 16
ARCHITECTURES, NETWORKS = 15_625, 6_466
"""Cells of NAS-Bench-201, whose costs are counted, and those that differ, which are scored."""


@dataclass(frozen=True)
class ScoreCost:
    """Processor time of the default score, and its ratio to something else in the same run.

    Attributes:
        what: is timed; all cells are extrapolated from those that are.
        seconds: of it.
        reference: what it is compared with.
        reference_seconds: of that.
        ratio: of the two.
    """

    what: str
    seconds: float
    reference: str
    reference_seconds: float
    ratio: float


def score_costs(data_root: str | None, progress: Progress) -> list[ScoreCost]:
    """Time the score of cells, and the default search, each next to a reference."""
    with torch_threads(1):
        return [*_cells(data_root, progress), _search()]


def _cells(data_root: str | None, progress: Progress) -> list[ScoreCost]:
    context = resolve_scoring(
        "resnet20",
        "nas-bench-201",
        data="cifar100",
        data_root=data_root,
        repeats=1,
        batch_size=IMAGES,
        seed=0,
    )
    evaluator, space, rng = context.evaluator, context.space, np.random.default_rng(0)
    images = torch.randn(IMAGES, 3, 32, 32)
    spent = []
    for _ in tracked(range(CELLS + 1), progress, "score cells", CELLS + 1):
        arch = space.sample(rng)
        network = space.network(space.effective(arch), evaluator.signature).train()
        counting = _seconds(partial(evaluator.costs, arch))
        with torch.inference_mode():
            network(images)
            bare = _seconds(partial(network, images))
        score = _seconds(partial(evaluator.outcome, arch, evaluator.costs(arch)))
        spent.append((score, bare, counting))
    score, bare, counting = np.mean(spent[1:], axis=0).tolist()  # the first one warms up
    minutes = (score * NETWORKS + counting * ARCHITECTURES) / 60 / 2
    return [
        ScoreCost("score of a cell", score, f"bare pass of {IMAGES} images", bare, score / bare),
        ScoreCost("all cells on two cores", 60 * minutes, "5 minutes", 300, minutes / 5),
    ]


def _search() -> ScoreCost:
    _searched(generations=1, population=4)
    new, former = _searched(), _searched(scorer="student_fit_1", batch_size=64, repeats=3)
    return ScoreCost("default search of S0", new, "with the former score", former, new / former)


def _searched(**options: Any) -> float:
    with TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        start = partial(search, "resnet56", "s0", data="digits", teacher_state="random", out=out)
        return _seconds(partial(start, progress=False, **options))


def _seconds(action: Callable[[], object]) -> float:
    started = time.process_time()
    action()
    return time.process_time() - started
