"""Supernets, and students that start with their weights, for the tables of supernets."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any, cast

import numpy as np
from torch import nn

from benchmarks.supernet_rows import SupernetRow
from diswot.bench.trainings import Trainings
from diswot.methods import Workshop
from diswot.methods.supernet import HeldOutLoss, Relations, Sliced, train_supernets
from diswot.networks.meta import build_on_meta
from diswot.progress import Progress, silent
from diswot.search import score
from diswot.seeding import seed_for
from diswot.students import Fresh, StudentSource
from diswot.tasks import values_of
from diswot.tasks.text import load_texts
from diswot.training import Distillation, TrainedTeacher, default_recipe, prepare_distillation
from search_spaces import Architecture, TextEncoderSpace, UnionSpace, partition

SPACE = UnionSpace(
    {
        "tiny": TextEncoderSpace(layers=(2, 3), hidden=(16, 24), heads=(4, 6), ratios=(2, 3)),
        "small": TextEncoderSpace(layers=(3, 4), hidden=(24, 32), heads=(4, 6), ratios=(2.5, 4)),
        "base": TextEncoderSpace(layers=(4, 5), hidden=(40, 48), heads=(6, 8), ratios=(2.5, 4)),
    }
)
"""Sub-spaces of 16 encoders each, in the order of sizes that the paper's three have."""


@dataclass(frozen=True)
class SupernetSettings:
    """What every training of these tables depends on.

    Attributes:
        teacher_epochs: epochs of the teacher on the labels.
        length: tokens of a text.
    """

    teacher_epochs: int = 5
    length: int = 16


@dataclass(frozen=True)
class Start:
    """The initial weights of students.

    Attributes:
        objective: training objective of the supernets, or `random` for random weights.
        supernets: number of supernets.
        epochs: epochs of all supernets together; each has an equal share.
    """

    objective: str
    supernets: int = 0
    epochs: int = 0

    def __str__(self) -> str:
        return f"{self.objective}-{self.supernets}-{self.epochs}"

    @classmethod
    def parse(cls, text: str) -> "Start":
        """Return the start of a text that `str` returned."""
        objective, supernets, epochs = text.rsplit("-", 2)
        return cls(objective, int(supernets), int(epochs))


RANDOM = Start("random")


@dataclass(frozen=True)
class Lab:
    """Trains supernets and students, and records them as they finish.

    Attributes:
        settings: settings of all trainings.
        work: folder of records and of trained teachers and supernets; a stopped run is resumed.
        progress: receives every step.
    """

    settings: SupernetSettings
    work: Path
    progress: Progress

    def supernets(self, tasks: Sequence[tuple[Start, int]]) -> list[SupernetRow]:
        """Train supernets, given as (start, seed), and measure their students."""
        keys = [(str(start), seed) for start, seed in tasks]
        records = self._records("supernets", keys, partial(_supernets, self.key))
        return [_supernet_row(Start.parse(start), seed, records) for start, seed in keys]

    def losses(self, start: Start, seed: int) -> Mapping[str, float]:
        """Return student → held-out relation loss as a slice of its supernet."""
        key = (str(start), seed)
        records = self._records("supernets", [key], partial(_supernets, self.key))
        return cast("Mapping[str, float]", records[key]["losses"])

    def students(self, tasks: Sequence[tuple[Start, int, str, str, int]]) -> dict[Any, Any]:
        """Train students on the labels, and return task → record.

        Args:
            tasks: (start, seed, architecture, loss, epochs).
        """
        keys = [(str(start), *rest) for start, *rest in tasks]
        records = self._records("students", keys, partial(_student, self.key))
        return {task: records[key] for task, key in zip(tasks, keys, strict=True)}

    def scored(self, names: Sequence[str]) -> dict[str, Any]:
        """Return student → candidate with its `student_fit`."""
        data = distillation(*self.key).data
        candidates = score(list(names), "encoder-medium", space=SPACE, data=data)
        return {candidate.name: candidate for candidate in candidates}

    @property
    def key(self) -> tuple[SupernetSettings, str]:
        """Settings, and the data root of these trainings."""
        root = self.work / "data"
        root.mkdir(parents=True, exist_ok=True)
        return self.settings, str(root)

    def _records(self, table: str, keys: Sequence[tuple[Any, ...]], train: Any) -> dict[Any, Any]:
        fields = ["start", "seed", "student", "loss", "epochs"][: len(keys[0])]
        settings = {**vars(self.settings), "space": described()}
        return Trainings(settings, self.work / table, key=fields).run(
            keys,
            train,
            before=partial(distillation, *self.key),
            workers=1,
            progress=self.progress,
        )


@cache
def distillation(settings: SupernetSettings, root: str) -> Distillation:
    """Return teacher, data and recipe; the teacher is trained, or loaded from the cache."""
    return prepare_distillation(
        "encoder-medium",
        data=load_texts("python-docs", root=root, length=settings.length),
        data_root=root,
        teacher_epochs=settings.teacher_epochs,
        device="cpu",
    )


def described() -> dict[str, Any]:
    """Return sub-space → field → values."""
    return {
        name: {field: list(choice.options) for field, choice in part.fields.items()}
        for name, part in SPACE.parts.items()
    }


def spread(settings: SupernetSettings, root: str, count: int) -> dict[str, list[str]]:
    """Return sub-space → `count` of its students, evenly by size."""
    signature = distillation(settings, root).data.signature
    names = {}
    for part, space in SPACE.parts.items():
        archs = partition(space, 1, signature)[0]
        indices = np.linspace(0, len(archs) - 1, count).round().astype(int)
        names[part] = [SPACE.to_string(archs[index]) for index in indices]
    return names


@cache
def _source(key: tuple[SupernetSettings, str], start: str, seed: int) -> StudentSource:
    """Return the source of students; supernets are trained, or loaded from the cache."""
    data, initial = distillation(*key).data, Start.parse(start)
    if initial == RANDOM:
        return Fresh(SPACE, data.signature)
    options = {
        "supernets": initial.supernets,
        "supernet_epochs": initial.epochs // initial.supernets,
        "supernet_rate": 1e-3,
        "supernet_loss": initial.objective,
        "random_students": 2,
    }
    teacher = _teacher(key)
    source = replace(teacher.source, weights=lambda: teacher.network)
    return train_supernets(
        Workshop(lambda: source, SPACE, data, Path(key[1]), "cpu", seed, options, silent)
    )


def _teacher(key: tuple[SupernetSettings, str]) -> TrainedTeacher:
    return cast(TrainedTeacher, distillation(*key).teacher)  # `distillation` always trains one


def _supernets(key: tuple[SupernetSettings, str], task: tuple[str, int]) -> dict[str, Any]:
    started = time.process_time()
    source = _source(key, *task)
    trained = time.process_time()
    losses = _losses(key, source)
    return {
        "start": task[0],
        "seed": task[1],
        "losses": losses,
        "training_seconds": round(trained - started, 1),
        "search_seconds": round(time.process_time() - trained, 1),
    }


def _losses(key: tuple[SupernetSettings, str], source: StudentSource) -> dict[str, float]:
    """Return the held-out relation loss of every student, as a slice of its supernet."""
    if not isinstance(source, Sliced):
        return {}
    return {
        SPACE.to_string(arch): relation_loss(key, arch, supernet.network, split="val")
        for supernet in source.supernets
        for arch in supernet.archs
    }


def relation_loss(
    key: tuple[SupernetSettings, str], arch: Architecture, network: nn.Module, *, split: Any
) -> float:
    """Return the relation loss of a student, as a slice of a supernet or on its own."""
    data = distillation(*key).data
    student = build_on_meta(partial(SPACE.network, arch, data.signature))
    metric = HeldOutLoss(Relations(_teacher(key).network.eval()), [student])
    return metric.measure(network, data, split).value


def _student(
    key: tuple[SupernetSettings, str], task: tuple[str, int, str, str, int]
) -> dict[str, Any]:
    start, seed, name, loss, epochs = task
    prepared, arch = distillation(*key), SPACE.from_string(name)
    student = _source(key, start, seed).student(arch, seed=seed_for(seed, "student", name))
    started = time.process_time()
    recipe = replace(default_recipe(prepared.data, epochs=epochs), seed=seed)
    training = replace(prepared, recipe=recipe).train(student, loss=loss)
    seconds = time.process_time() - started
    val = values_of(prepared.data.metrics[0], student, prepared.data, "val")
    return {
        "start": start,
        "seed": seed,
        "student": name,
        "loss": loss,
        "epochs": epochs,
        "seconds": round(seconds, 1),
        "relation_loss": relation_loss(key, arch, student, split="test"),
        "val": round(100 * float(val.mean()), 2),
        "test": round(100 * training.test.value, 2),
    }


def _supernet_row(start: Start, seed: int, records: Mapping[Any, Any]) -> SupernetRow:
    record = records[str(start), seed]
    parts: dict[str, list[float]] = {}
    for name, loss in record["losses"].items():
        parts.setdefault(part_of(name), []).append(loss)
    losses = list(record["losses"].values())
    return SupernetRow(
        start.objective,
        start.supernets,
        start.epochs,
        seed,
        float(np.mean(losses)) if start.objective == "relations" else None,
        {part: float(np.mean(of_part)) for part, of_part in parts.items()},
        record["training_seconds"],
        record["search_seconds"],
    )


def part_of(name: str) -> str:
    """Return the sub-space of an architecture."""
    space = SPACE.part_of(SPACE.from_string(name))
    return next(part for part, other in SPACE.parts.items() if other is space)
