"""Teachers with weights: given, cached, or trained now."""

import hashlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from torch import nn

from diswot.errors import TeacherError
from diswot.losses import parse_objective
from diswot.networks.copies import copied
from diswot.progress import Progress, message
from diswot.seeding import seed_for
from diswot.tasks import Dataset, Measure, cache_root, values_of
from diswot.teachers import Teacher
from diswot.training._argument_checks import check_compatible
from diswot.training._network_cache import kept_or_trained
from diswot.training._recipe import Recipe, default_recipe
from diswot.training._training import train

_LONGER = "give its weights (--teacher-weights), train it longer (--teacher-epochs)"
"""General advice for a teacher that is hardly better than chance."""


@dataclass(frozen=True)
class TrainedTeacher:
    """A teacher with weights.

    Attributes:
        source: name and factories of the teacher, with these weights.
        network: the network to distill from, on the device and in evaluation mode.
        test: measure on the test split.
        data: the dataset with what its targets need from the teacher.
    """

    source: Teacher
    network: nn.Module
    test: Measure
    data: Dataset


def named_teacher(
    teacher: str | nn.Module | Teacher,
    data: Dataset,
    *,
    weights: str | Path | None,
    role: str | None = None,
    seed: int = 0,
    progress: Progress,
    **options: Any,
) -> tuple[Teacher, nn.Module]:
    """Find a teacher, check that it fits `data`, and report its notes.

    Args:
        teacher: a name, `package.module:callable`, a network, or a `Teacher`.
        data: the dataset.
        weights: checkpoint to load.
        role: name of the teacher in the task; by default the first one.
        seed: seed of the initial weights, if it has no trained ones.
        progress: receives messages.
        **options: options of the task, such as `teacher_classes`.

    Returns:
        The teacher and its network, with trained weights if it has any.

    Raises:
        DiswotError: the teacher does not exist or does not fit the data.
    """
    result = data.task.find_teacher(teacher, data, weights=weights, **options)
    for note in result.notes:
        progress(message("teacher", note, can_wait=True))
    network = result.initialized(seed) if result.weights is None else result.weights()
    untrained = result.weights is None
    trained_on = data.for_teacher(role or data.task.teachers[0]) if untrained else data
    check_compatible(network, trained_on, f"teacher {result.name}", training=untrained)
    return result, network


def trained_teacher(
    teacher: str | nn.Module | Teacher,
    data: Dataset,
    *,
    weights: str | Path | None = None,
    role: str = "teacher",
    epochs: int,
    root: Path,
    device: str,
    force: bool,
    progress: Progress,
    **options: Any,
) -> TrainedTeacher:
    """Return a teacher with weights, after checking that it is better than chance.

    A built-in teacher without a checkpoint is trained once with the default recipe. Its weights
    are cached under `teachers/` in the data root (or in the user's cache if that is read-only),
    under a name with a hash of data, network and recipe.

    Args:
        teacher: anything that [`find_teacher`][diswot.tasks.Task.find_teacher] accepts.
        data: the dataset, on whose test split it is evaluated.
        weights: checkpoint to load.
        role: name of the teacher in the task.
        epochs: epochs of its training, if it has no weights.
        root: the data root.
        device: torch device.
        force: whether a teacher that is hardly better than chance is accepted.
        progress: receives every step.
        **options: options of the task, such as `teacher_classes`.

    Raises:
        DiswotError: the teacher does not exist or does not fit the data.
        TeacherError: it is hardly better than chance.
        RunFolderError: this is one of several processes that train together, and another
            program already trains the same teacher.
    """
    named, network = named_teacher(
        teacher, data, weights=weights, role=role, progress=progress, **options
    )
    who = named.name if len(data.task.teachers) == 1 else f"{named.name} ({role})"
    if named.weights is None:
        network = _trained_once(
            named,
            data.for_teacher(role),
            epochs=epochs,
            root=root,
            device=device,
            progress=progress,
        )
    network = network.to(device).eval()
    data = data.task.with_teacher(data, network)
    advice = data.task.check_trained(
        named, network, data, device=device, force=force, progress=progress
    )
    metric = data.metrics[0]
    values = values_of(metric, network, data, "test", device=device)
    test = metric.summarize(values, data, "test")
    progress(message("teacher", f"{who} has a test {metric.name} of {test}"))
    if metric.is_near_chance(values, data, "test") and not force:
        raise TeacherError(
            f"the teacher {who} has a test {metric.name} of {test}, little better than "
            f"chance: {advice or _LONGER}, or use --force"
        )
    source = Teacher(named.name, named.build, partial(copied, network))
    return TrainedTeacher(source, network, test, data)


def _trained_once(
    teacher: Teacher,
    data: Dataset,
    *,
    epochs: int,
    root: Path,
    device: str,
    progress: Progress,
) -> nn.Module:
    """Train a teacher without weights, or load it from the cache; return its network."""
    recipe = default_recipe(data, epochs=epochs)
    network = teacher.initialized(seed_for(recipe.seed, "teacher"))

    def trained(folder: Path) -> None:
        train(
            network,
            data,
            objective=parse_objective(data.task.teacher_loss),
            recipe=recipe,
            folder=folder,
            device=device,
            progress=progress,
            stage="teacher",
        )

    place = _place(teacher, data, recipe, root)
    return kept_or_trained(network, place, trained, stage="teacher", progress=progress)


def _place(teacher: Teacher, data: Dataset, recipe: Recipe, root: Path) -> Path:
    content = "/".join((data.digest, teacher.digest(), repr(recipe)))
    name = f"{teacher.name}-{data.name}-{hashlib.sha256(content.encode()).hexdigest()[:16]}"
    return cache_root(root) / "teachers" / f"{name}.safetensors"
