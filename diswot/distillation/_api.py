"""`distill`: a student, a teacher and data in, a trained student out."""

import copy
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypedDict, Unpack

from torch import nn

from diswot.activations import trial_pass
from diswot.data import ImageData, load_data
from diswot.data import data_root as find_root
from diswot.devices import find_device
from diswot.distillation._objectives import find_objective
from diswot.distillation._saved import load_training, save_report, saved_students
from diswot.distillation._teacher import trained_teacher
from diswot.distillation._training import Accuracy, Recipe, Training, evaluate, train
from diswot.progress import Progress, silent
from diswot.run_folder import new_folder
from diswot.students import Origin, origin_of, remember
from diswot.teachers import Teacher, find_teacher, load_checkpoint

SMALL_DATA = 5000
"""Training images below which twice as many epochs are the default."""


class DistillationOptions(TypedDict, total=False):
    """Options of `distill` and `run` alike.

    Attributes:
        data_root: where built-in datasets lie, and trained teachers are kept.
        teacher_weights: a checkpoint to load into the teacher.
        teacher_epochs: for a built-in teacher without a checkpoint, which is trained on
            the data once and kept; by default three times the student's.
        epochs: by default 10, and 20 for fewer than 5,000 training images.
        seed: the same seed gives the same result; 0.
        device: where to compute; by default a GPU where there is one.
    """

    data_root: str | Path | None
    teacher_weights: str | Path | None
    teacher_epochs: int | None
    epochs: int | None
    seed: int
    device: str | None


@dataclass(frozen=True)
class TrainedTeacher:
    """A teacher with weights.

    Attributes:
        source: what it is, with these weights.
        network: the network to learn from, on the device.
        accuracy: on the test split.
    """

    source: Teacher
    network: nn.Module
    accuracy: Accuracy


@dataclass(frozen=True)
class Distillation:
    """A teacher, data and a recipe, for any number of students.

    Attributes:
        data: what is trained and judged on.
        teacher: whom to learn from; `None` to train alone.
        recipe: how to train.
        device: where to compute.
    """

    data: ImageData
    teacher: TrainedTeacher | None
    recipe: Recipe
    device: str

    def train(
        self,
        student: nn.Module,
        *,
        loss: str,
        folder: Path | None = None,
        progress: Progress = silent,
        stage: str | None = None,
    ) -> Training:
        """Train `student` in place; it ends with the weights of its best epoch."""
        objective = find_objective(loss)
        training = train(
            student,
            self.data,
            objective=replace(objective, name=stage or objective.name),
            recipe=self.recipe,
            teacher=self.teacher.network if self.teacher else None,
            folder=folder,
            device=self.device,
            progress=progress,
        )
        training = replace(training, objective=loss)
        origin = self._remember(student, training)
        if folder is not None:
            save_report(
                folder,
                origin.architecture or type(student).__name__,
                training,
                images=self.data.spec,
                metrics=origin.metrics,
            )
        return training

    def trained_before(self, student: nn.Module, folder: Path) -> Training | None:
        """Load the weights that a training in `folder` ended with, and what came of it.

        `None`, and `student` unchanged, where none of its architecture ended with this
        recipe on these data.
        """
        found, origin = next(iter(saved_students(folder)), None), origin_of(student)
        if found is None or origin is None or found.architecture != origin.architecture:
            return None
        recipe = {"seed": self.recipe.seed, "epochs": self.recipe.epochs}
        if found.images != self.data.spec or not recipe.items() <= found.metrics.items():
            return None
        load_checkpoint(student, found.weights)
        training = load_training(folder)
        self._remember(student.to(self.device), training)
        return training

    def _remember(self, student: nn.Module, training: Training) -> Origin:
        known = origin_of(student)
        metrics: dict[str, Any] = {
            "loss": training.objective,
            "seed": self.recipe.seed,
            "epochs": self.recipe.epochs,
            "test_accuracy": training.test.rate,
            "test_accuracy_95": list(training.test.interval),
            "test_images": training.test.total,
        }
        if self.teacher is not None:
            metrics["teacher_test_accuracy"] = self.teacher.accuracy.rate
        origin = Origin(self.data.spec, known.architecture if known else None, metrics)
        remember(student, origin)
        return origin


def prepare_distillation(
    teacher: str | nn.Module | Teacher | None,
    *,
    data: Any = "digits",
    data_root: str | Path | None = None,
    teacher_weights: str | Path | None = None,
    teacher_epochs: int | None = None,
    epochs: int | None = None,
    seed: int = 0,
    device: str | None = None,
    progress: Progress = silent,
) -> Distillation:
    """Load the data, and the teacher with its weights; train it once where it has none.

    Without a teacher, students can be trained alone.

    Raises:
        DiswotError: something does not exist or does not fit.
    """
    device = find_device(device)
    images = load_data(data, root=data_root)
    recipe = default_recipe(images, epochs=epochs, seed=seed)
    if teacher is None:
        return Distillation(images, None, recipe, device)
    found = find_teacher(
        teacher, images.spec, weights=teacher_weights, classes=images.classes
    )
    teacher_recipe = replace(
        recipe, epochs=3 * recipe.epochs if teacher_epochs is None else teacher_epochs, seed=0
    )
    shown = found.initialised(0) if found.weights is None else found.weights()
    check_takes(shown, images, f"teacher {found.name}")
    network = trained_teacher(
        found,
        images,
        recipe=teacher_recipe,
        root=find_root(data_root),
        device=device,
        progress=progress,
    )
    accuracy = evaluate(network, images, images.test, device=device)
    source = replace(found, weights=partial(copy.deepcopy, network))
    return Distillation(images, TrainedTeacher(source, network, accuracy), recipe, device)


def distill(
    student: nn.Module,
    teacher: str | nn.Module | Teacher | None = "resnet56",
    *,
    data: Any = "digits",
    loss: str = "diswot",
    out: str | Path | None = None,
    progress: Progress = silent,
    **options: Unpack[DistillationOptions],
) -> Training:
    """Train `student` in place towards a teacher.

    Args:
        student: any network with a linear classifier.
        teacher: a built-in name, `package.module:callable`, or a network. The last two
            are taken to be trained; a built-in one without a checkpoint is trained on
            the data, once, and kept under the data root. Not looked at with `alone`.
        data: a built-in name, `package.module:callable`, or a dataset.
        loss: `diswot` (CE+KL), `diswot-dagger` (with the two similarity losses), or
            `alone` (the labels only).
        out: where checkpoints and `metrics.csv` go; by default nowhere.
        progress: told of every step.
        **options: see [`DistillationOptions`][diswot.distillation.DistillationOptions].

    Returns:
        What came of it; `student` ends with the weights of its best epoch.

    Raises:
        DiswotError: something that was asked for does not exist or does not fit.
        RunError: the loss is not finite.

    Examples:
        >>> from search_spaces import ResNetDepthSpace
        >>> space = ResNetDepthSpace((1, 2), in_channels=1)
        >>> student = space.build(space.from_string("1-1-1"), num_classes=10)
        >>> report = distill(student, student, data="digits", epochs=1)
        >>> report.test.total
        1297
    """
    taught_by = teacher if find_objective(loss).needs_teacher else None
    distillation = prepare_distillation(taught_by, data=data, progress=progress, **options)
    check_takes(student, distillation.data, "the student")
    folder = None if out is None else new_folder(out)
    return distillation.train(student, loss=loss, folder=folder, progress=progress)


def default_recipe(data: ImageData, *, epochs: int | None = None, seed: int = 0) -> Recipe:
    """Return the recipe for `data`: its batches are 64, or less so that an epoch has 16 steps."""
    small = len(data.train) < SMALL_DATA
    steps_of_16 = max(8, 2 ** ((len(data.train) // 16).bit_length() - 1))
    batch_size = min(64, steps_of_16)
    return Recipe(
        epochs=(20 if small else 10) if epochs is None else epochs, batch_size=batch_size, seed=seed
    )


def check_takes(network: nn.Module, data: ImageData, who: str) -> None:
    """Make sure that `network` takes the images and has the classes of `data`."""
    device = next((p.device for p in network.parameters()), None)
    images = data.normalise(data.train.images[:2]).to(device)
    trial_pass(network, images, num_classes=data.num_classes, who=who)
