"""`distill`: a student, a teacher and data in, a trained student out."""

import copy
import json
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypedDict, Unpack, get_type_hints

from torch import nn

from diswot.data import ImageData, load_data
from diswot.data import data_root as find_root
from diswot.devices import find_device, is_first
from diswot.distillation._checkpoint import CHECKPOINT
from diswot.distillation._checkpoint import load_checkpoint as load_standing
from diswot.distillation._fitting import check_takes
from diswot.distillation._identity import conditions, identity
from diswot.distillation._judging import Accuracy, evaluate, near_chance
from diswot.distillation._metrics import check_tensorboard
from diswot.distillation._recipe import Recipe, default_recipe
from diswot.distillation._saved import (
    load_training,
    save_report,
    saved_students,
    training_folder,
)
from diswot.distillation._teacher import named_teacher, trained_teacher
from diswot.distillation._trained import Training
from diswot.distillation._training import train
from diswot.distillation.losses import parse_objective
from diswot.errors import RunFolderError, TeacherError
from diswot.progress import Progress, news, silent
from diswot.students import Origin, origin_of, remember
from diswot.teachers import Teacher, load_checkpoint


class RecipeOptions(TypedDict, total=False):
    """What of a [`Recipe`][diswot.distillation.Recipe] can be chosen; `None` is its default.

    Attributes:
        epochs: by default 10, and 20 for fewer than 5,000 training images.
        train_batch_size: images of a step; by default 64, less for few images.
        optimiser: `sgd`, the default, or `adamw`.
        learning_rate: by default 0.05 of SGD, 0.001 of AdamW.
        weight_decay: by default 0.0005 of SGD, 0.05 of AdamW.
        schedule: `step`, the default, or `cosine`.
        warmup_epochs: in which the learning rate grows from 0; 0.
        ema: decay of a moving average of the weights, to be judged and kept in their place.
        label_smoothing: share of a label that is spread over all classes; 0.
        mixup: parameter of mixup's Beta distribution; 0, no mixup.
        cutmix: the same of cutmix.
        augment: `none`, `standard` (crops and flips), the default, or `strong`.
        clip: norm that gradients are cut to.
        accumulate: parts that a batch is put through one after the other; 1.
        precision: `single`, the default, `bf16` or `fp16`.
        seed: the same seed gives the same result; 0.
    """

    epochs: int | None
    train_batch_size: int | None
    optimiser: str | None
    learning_rate: float | None
    weight_decay: float | None
    schedule: str | None
    warmup_epochs: float | None
    ema: float | None
    label_smoothing: float | None
    mixup: float | None
    cutmix: float | None
    augment: str | None
    clip: float | None
    accumulate: int | None
    precision: str | None
    seed: int


class DistillationOptions(RecipeOptions, total=False):
    """Options of `distill` and `run` alike, besides those of the recipe.

    Attributes:
        data_root: where built-in datasets lie, and trained teachers are kept.
        teacher_weights: a checkpoint to load into the teacher.
        teacher_epochs: for a built-in teacher without a checkpoint, which is trained on
            the data once and kept; by default three times the student's.
        force: whether to learn from a teacher that knows little more than chance.
        tensorboard: whether to write TensorBoard events beside `metrics.csv`.
        device: where to compute; by default a GPU where there is one.
    """

    data_root: str | Path | None
    teacher_weights: str | Path | None
    teacher_epochs: int | None
    force: bool
    tensorboard: bool
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
        tensorboard: whether to write TensorBoard events.
    """

    data: ImageData
    teacher: TrainedTeacher | None
    recipe: Recipe
    device: str
    tensorboard: bool = False

    def train(
        self,
        student: nn.Module,
        *,
        loss: str,
        folder: Path | None = None,
        progress: Progress = silent,
        stage: str | None = None,
    ) -> Training:
        """Train `student` in place; it ends with the weights of its best epoch.

        A training of the same that was stopped in `folder` goes on.
        """
        training = train(
            student,
            self.data,
            objective=parse_objective(loss),
            recipe=self.recipe,
            teacher=self._network,
            folder=folder,
            device=self.device,
            progress=progress,
            stage=stage,
            tensorboard=self.tensorboard,
        )
        origin = self._remember(student, training)
        if folder is not None and is_first():
            save_report(
                folder,
                origin.architecture or type(student).__name__,
                training,
                images=self.data.spec,
                metrics=origin.metrics,
            )
            (folder / CHECKPOINT).unlink()  # what ended has its report
        return training

    def train_once(
        self,
        student: nn.Module,
        *,
        loss: str,
        folder: Path | None = None,
        progress: Progress = silent,
        stage: str | None = None,
        anew: bool = False,
    ) -> Training:
        """Train `student` in place, unless that was done in `folder`: then load what came of it.

        Args:
            student: ends with the weights of its best epoch.
            loss: see [`distill`][diswot.distillation.distill].
            folder: where the training is kept.
            progress: told of every step.
            stage: what the training is called there; by default as its loss.
            anew: whether an unfinished training of something else that is in the folder
                gives way; otherwise it is an error.
        """
        if folder is not None:
            known = self.trained_before(student, folder, loss=loss)
            if known is not None:
                return known
            if anew and self.drop_another(student, folder, loss=loss):
                note = f"the training in {folder} was of another student, and is begun anew"
                progress(news(stage or loss, note))
        return self.train(student, loss=loss, folder=folder, progress=progress, stage=stage)

    def trained_before(self, student: nn.Module, folder: Path, *, loss: str) -> Training | None:
        """Load the weights that a training in `folder` ended with, and what came of it.

        `None`, and `student` unchanged, where none of its architecture ended with this
        loss and recipe on these data.
        """
        found, origin = next(iter(saved_students(folder)), None), origin_of(student)
        if found is None or origin is None:
            return None
        if (found.architecture, found.loss) != (origin.architecture, loss):
            return None
        recipe = {"recipe": json.loads(json.dumps(asdict(self.recipe)))}
        if found.images != self.data.spec or not recipe.items() <= found.metrics.items():
            return None
        load_checkpoint(student, found.weights)
        training = load_training(folder)
        self._remember(student.to(self.device), training)
        return training

    def drop_another(self, student: nn.Module, folder: Path, *, loss: str) -> bool:
        """Remove an unfinished training from `folder` if it is not this one; tell whether it was.

        A damaged one is not told from another.
        """
        if not (folder / CHECKPOINT).exists():
            return False
        objective = parse_objective(loss)
        of = identity(student, self.data, objective, self.recipe, self._network)
        try:
            load_standing(folder, of=of)
        except RunFolderError:
            (folder / CHECKPOINT).unlink()
            return True
        return False

    def conditions(self, loss: str) -> dict[str, Any]:
        """Return what trainings with this loss are alike in, as plain values."""
        return conditions(self.data, parse_objective(loss), self.recipe, self._network)

    @property
    def _network(self) -> nn.Module | None:
        return self.teacher.network if self.teacher else None

    def _remember(self, student: nn.Module, training: Training) -> Origin:
        known = origin_of(student)
        metrics: dict[str, Any] = {
            "loss": training.objective,
            "data": self.data.name,
            "classes": self.data.classes,
            "seed": self.recipe.seed,
            "epochs": self.recipe.epochs,
            "recipe": asdict(self.recipe),
            "test_accuracy": training.test.rate,
            "test_accuracy_95": list(training.test.interval),
            "test_images": training.test.total,
        }
        if self.teacher is not None:
            metrics["teacher"] = self.teacher.source.name
            metrics["teacher_test_accuracy"] = self.teacher.accuracy.rate
        origin = Origin(self.data.spec, known.architecture if known else None, metrics)
        remember(student, origin)
        return origin


def prepare_distillation(
    teacher: str | nn.Module | Teacher | None,
    *,
    data: Any = "digits",
    progress: Progress = silent,
    **options: Unpack[DistillationOptions],
) -> Distillation:
    """Load the data, and the teacher with its weights; train it once where it has none.

    Without a teacher, students can be trained alone.

    Raises:
        DiswotError: something does not exist or does not fit.
        TeacherError: the teacher knows little more than chance.
    """
    root, device = options.get("data_root"), find_device(options.get("device"))
    if options.get("tensorboard"):
        check_tensorboard()
    images = load_data(data, root=root)
    chosen: dict[str, Any] = {name: options.get(name) for name in get_type_hints(RecipeOptions)}
    recipe = default_recipe(images, batch_size=chosen.pop("train_batch_size"), **chosen)
    found = Distillation(images, None, recipe, device, options.get("tensorboard", False))
    if teacher is None:
        return found
    named, _ = named_teacher(
        teacher, images, weights=options.get("teacher_weights"), progress=progress
    )
    network = trained_teacher(
        named,
        images,
        epochs=options.get("teacher_epochs") or 3 * recipe.epochs,
        root=find_root(root),
        device=device,
        progress=progress,
    )
    accuracy = evaluate(network, images, images.test, device=device)
    progress(news("teacher", f"{named.name} answers {accuracy} of the test images rightly"))
    if near_chance(accuracy, images.num_classes) and not options.get("force", False):
        raise TeacherError(
            f"the teacher {named.name} answers {accuracy} of the test images rightly, little "
            f"more than chance with {images.num_classes} classes: give its weights "
            "(--teacher-weights), train it longer (--teacher-epochs), or take it with --force"
        )
    source = replace(named, weights=partial(copy.deepcopy, network), notes=())
    return replace(found, teacher=TrainedTeacher(source, network, accuracy))


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
        loss: an expression such as `ce + 0.9*kd(T=4) + 100*at`, or a preset: `diswot`
            (CE+KL), `diswot-dagger` (with the two similarity losses), `alone` (the
            labels only).
        out: where checkpoints and `metrics.csv` go, by default nowhere; where a training of
            the same was stopped, it goes on.
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
        >>> report = distill(student, student, data="digits", epochs=1, force=True)
        >>> report.test.total
        1297
    """
    taught_by = teacher if parse_objective(loss).needs_teacher else None
    distillation = prepare_distillation(taught_by, data=data, progress=progress, **options)
    check_takes(student, distillation.data, "the student")
    folder = None if out is None else training_folder(out)
    return distillation.train(student, loss=loss, folder=folder, progress=progress)
