"""Trainings of students of source code, for `benchmarks.code_distillation`."""

import statistics
import time
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn

from benchmarks.data_free import BATCH, distillation_on
from diswot.search import find_space
from diswot.seeding import torch_seed
from diswot.students import build_student, with_new_classifier
from diswot.tasks.code import CodeData, encoded, read_programs
from diswot.training import Distillation, Recipe, prepare_distillation
from search_spaces import GatedConvolutionNetwork

SAMPLES = ("untrained", "noise", "zskt", "dafl", "distorted", "programs")
"""What students are distilled on; `programs` are the training programs with the loss of noise."""

PARTS = ("all parts", "no memory", "no gates", "no memory, no gates")
"""Networks with equal parameters, trained on the labels."""

STARTS = ("scratch", "distilled on dafl", "distilled on programs")
"""Weights from which students are tuned on few labels of another vulnerability."""


@dataclass(frozen=True)
class CodeSettings:
    """What is compared: one student, the same number of steps in every arm of a study.

    Attributes:
        vulnerabilities: vulnerabilities of teacher and students.
        novel: vulnerability to which students are transferred.
        teacher: architecture of the teacher, trained once on the training programs.
        teacher_epochs: epochs of its training.
        student: architecture of the student.
        epochs: epochs of a distillation.
        steps: steps per epoch.
        labels: programs with labels of the other vulnerability.
        tuning_epochs: epochs of tuning on them.
        part_epochs: epochs of networks with parts left out.
    """

    vulnerabilities: tuple[str, ...] = (
        "reentrancy",
        "timestamp",
        "delegatecall",
        "integer_overflow",
    )
    novel: str = "infinite_loop"
    teacher: str = "width=32,kernels=3+5+7,slots=16,depth=1"
    teacher_epochs: int = 15
    student: str = "width=16,kernels=3+5,slots=8,depth=1"
    epochs: int = 3
    steps: int = 60
    labels: int = 50
    tuning_epochs: int = 30
    part_epochs: int = 15


@cache
def programs_of(path: Path, settings: CodeSettings) -> tuple[CodeData, CodeData]:
    """Return the data of teacher and students, and those of the other vulnerability."""
    programs, _ = read_programs(path, vulnerabilities=settings.vulnerabilities, max_unparsed=0)
    data = encoded("contracts", programs, length=None, vocabulary=1_000)
    others, _ = read_programs(path, vulnerabilities=[settings.novel], max_unparsed=0)
    novel = encoded(
        settings.novel, others, length=data.length, vocabulary=1_000, tokens=data.vocabulary
    )
    return data, novel


@cache
def distillation_of(path: Path, settings: CodeSettings, work: Path) -> Distillation:
    """Return teacher, data and recipe; the teacher is trained once, in the folder `work`."""
    data, _ = programs_of(path, settings)
    teacher = student_of(data, settings.teacher, 0)
    alone = Distillation(data, {}, _recipe(data, settings.teacher_epochs), "cpu")
    alone.train_once(teacher, loss="alone", folder=work / "teacher")
    return prepare_distillation(teacher, data=data, epochs=settings.epochs, device="cpu")


def one_training(path: Path, settings: CodeSettings, work: Path, task: tuple[str, str, int]) -> Any:
    """Run one training, and return its record.

    Args:
        path: file of the contracts.
        settings: what is compared.
        work: folder in which the weights of distilled students are kept.
        task: study, arm and seed.
    """
    study, arm, seed = task
    run = {"samples": _distilled, "parts": _with_parts, "transfer": _transferred}[study]
    return {"study": study, "arm": arm, "seed": seed, **run(path, settings, work, arm, seed)}


def student_of(data: CodeData, architecture: str, seed: int) -> nn.Module:
    """Return a network of the space `gated-convolution` with random weights."""
    space = find_space("gated-convolution", data.signature)
    return build_student(space, space.from_string(architecture), data.signature, seed=seed)


def _distilled(
    path: Path, settings: CodeSettings, work: Path, arm: str, seed: int
) -> dict[str, Any]:
    """Distill a student on one kind of samples, and keep its weights."""
    whole = distillation_of(path, settings, work)
    data = cast(CodeData, whole.data)
    student = student_of(data, settings.student, seed)
    if arm == "untrained":
        test = data.metrics[0].measure(student, data, "test")
        return {"macro_f1": test.value, "f1": "", "train_reads": 0}
    counted = Counted.of(data)
    distillation, loss = distillation_on(
        replace(whole, data=counted),
        None if arm == "programs" else arm,
        epochs=settings.epochs,
        steps=settings.steps,
        seed=seed,
    )
    result = distillation.train(student, loss=loss)
    torch.save(student.state_dict(), work / f"{arm}-{seed}.pt")
    return {**_measured(result), "train_reads": counted.reads[0]}


def _measured(result: Any) -> dict[str, Any]:
    rows = [] if result.classes is None else result.classes.rows
    f1 = ", ".join(f"{row.name} {100 * (row.f1 or 0):.0f}" for row in rows)
    return {"macro_f1": result.test.value, "f1": f1}


def _with_parts(
    path: Path, settings: CodeSettings, _work: Path, arm: str, seed: int
) -> dict[str, Any]:
    """Train a network without some parts, as wide as its parameters allow."""
    data, _ = programs_of(path, settings)
    network = network_of_parts(data, arm, seed)
    recipe = replace(_recipe(data, settings.part_epochs), batch_size=BATCH, seed=seed)
    result = Distillation(data, {}, recipe, "cpu").train(network, loss="alone")
    return {**_measured(result), **costs_of(network, data)}


def network_of_parts(data: CodeData, arm: str, seed: int) -> nn.Module:
    """Return a network without some parts, with about the parameters of the whole one.

    Args:
        data: the data.
        arm: one of `PARTS`.
        seed: seed of its weights.
    """

    def built(width: int, *, memory: bool, gated: bool) -> nn.Module:
        with torch_seed(seed):
            return GatedConvolutionNetwork(
                vocabulary=len(data.vocabulary),
                outputs=len(data.classes),
                width=width,
                kernels=(3, 5),
                slots=8 if memory else 0,
                depth=1,
                gated=gated,
            )

    target = _size(built(16, memory=True, gated=True))
    memory, gated = "no memory" not in arm, "no gates" not in arm
    networks = [built(width, memory=memory, gated=gated) for width in range(12, 40)]
    return min(networks, key=lambda network: abs(_size(network) - target))


def _transferred(
    path: Path, settings: CodeSettings, work: Path, arm: str, seed: int
) -> dict[str, Any]:
    """Tune a student on few labels of another vulnerability."""
    data, novel = programs_of(path, settings)
    student = student_of(data, settings.student, seed)
    if arm != "scratch":
        weights = work / f"{arm.removeprefix('distilled on ')}-{seed}.pt"
        student.load_state_dict(torch.load(weights, weights_only=True))
    student = with_new_classifier(student, novel.signature, seed=seed)
    few = novel.with_fewer(settings.labels, seed=seed)
    recipe = replace(_recipe(few, settings.tuning_epochs), batch_size=16, seed=seed)
    return _measured(Distillation(few, {}, recipe, "cpu").train(student, loss="alone"))


def _recipe(data: CodeData, epochs: int) -> Recipe:
    return prepare_distillation(None, data=data, epochs=epochs, device="cpu").recipe


def _size(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def costs_of(network: nn.Module, data: CodeData) -> dict[str, Any]:
    """Return parameters, and the median latency of one program in milliseconds."""
    inputs, times = data.batch("test", torch.arange(1)).inputs, []
    with torch.no_grad():
        for _ in range(30):
            start = time.perf_counter()
            network.eval()(*inputs)
            times.append(1_000 * (time.perf_counter() - start))
    return {"parameters": _size(network), "milliseconds": statistics.median(times)}


class Counted(CodeData):
    """Programs that count those of the training split that batches are made of."""

    reads: list[int]

    @classmethod
    def of(cls, data: CodeData) -> "Counted":
        """Return the same programs, with a count of 0."""
        counted = cls(**{name: getattr(data, name) for name in data.__dataclass_fields__})
        object.__setattr__(counted, "reads", [0])
        return counted

    def batch(self, split: Any, indices: Any, *, device: str = "cpu") -> Any:
        """Return examples of a split, and count those of the training split."""
        self.reads[0] += len(indices) if split == "train" else 0
        return super().batch(split, indices, device=device)
