"""What scoring costs, against a bare forward pass and against the published procedure."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from diswot.data import load_data
from diswot.progress import Progress, tracked
from diswot.scorers import find_scorer
from diswot.search import Evaluator, measure_costs, prepare_repeats
from diswot.teachers import find_teacher
from search_spaces import NASBench201Space

BATCH = 64


@dataclass(frozen=True)
class Speed:
    """Milliseconds per NAS-Bench-201 architecture, totals over the same architectures.

    Attributes:
        architectures: how many.
        threads: of torch.
        forward_ms: a bare forward pass under `torch.inference_mode`, network given.
        build_ms: building the network with its initialisation, part of all that follow.
        score_ms: building, forward pass and the score `diswot`.
        readme_ms: the procedure of the DisWOT README: build, then forward and backward
            of the student and of the teacher, for every candidate.
        budget_ms: counting parameters and multiply-adds on the meta device.
        score_to_forward: ratio.
        readme_to_score: ratio.
    """

    architectures: int
    threads: int
    forward_ms: float
    build_ms: float
    score_ms: float
    readme_ms: float
    budget_ms: float
    score_to_forward: float
    readme_to_score: float


def speed(root: Path, progress: Progress, *, count: int = 60, seed: int = 0) -> Speed:
    """Time the procedures in turn on the same random cells, CIFAR-10, teacher ResNet-110."""
    data = load_data("cifar10", root=root)
    teacher = find_teacher("resnet110", num_classes=10, in_channels=3)
    repeats = prepare_repeats(data, teacher, repeats=1, batch_size=BATCH, seed=seed)
    space, scorer = NASBench201Space(), find_scorer("diswot")
    evaluator = Evaluator(space, scorer, repeats, data.spec, seed=seed)
    teacher_network = teacher.initialised(seed)
    images, labels = repeats[0].images, repeats[0].labels
    rng = np.random.default_rng(seed)
    spent: dict[str, list[float]] = {}
    for _ in tracked(range(count), progress, "speed", count):
        arch = space.sample(rng)
        build = partial(space.build, arch, data.num_classes)
        evaluator.costs(arch)  # so that scoring finds them known, as it does in a search
        network = build().train()
        _bare_forward(network, images)  # warm-up, not counted
        procedures: dict[str, Callable[[], object]] = {
            "forward": partial(_bare_forward, network, images),
            "build": build,
            "score": partial(evaluator.evaluate, arch),
            "readme": partial(_readme_procedure, build, teacher_network, images, labels),
            "budget": partial(measure_costs, build, data.shape),
        }
        for name, procedure in procedures.items():
            spent.setdefault(name, []).append(_seconds(procedure))
    total = {name: 1e3 * float(np.mean(seconds)) for name, seconds in spent.items()}
    return Speed(
        architectures=count,
        threads=torch.get_num_threads(),
        forward_ms=total["forward"],
        build_ms=total["build"],
        score_ms=total["score"],
        readme_ms=total["readme"],
        budget_ms=total["budget"],
        score_to_forward=total["score"] / total["forward"],
        readme_to_score=total["readme"] / total["score"],
    )


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
