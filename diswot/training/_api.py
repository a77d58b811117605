"""`distill`: a student, a teacher and data in, a trained student out."""

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack, cast

from torch import nn

from diswot.bars import shown
from diswot.devices import find_device
from diswot.losses import needs_a_teacher, parse_objective
from diswot.options import DistillationOptions, RecipeOptions, declared, takes_options
from diswot.progress import Progress, silent
from diswot.runs import working_in
from diswot.tasks import DEFAULT, find_subject
from diswot.tasks.images import ImageData
from diswot.tasks.images import data_root as find_root
from diswot.teachers import Teacher
from diswot.training._acceleration import check_precision
from diswot.training._distillation import Distillation
from diswot.training._fitting import check_takes
from diswot.training._metrics import check_tensorboard
from diswot.training._recipe import Recipe, check_recipe, default_recipe
from diswot.training._saved import training_folder
from diswot.training._teacher import trained_teacher
from diswot.training._trained import Training


@takes_options
def prepare_distillation(
    teacher: str | nn.Module | Teacher | None,
    *,
    data: Any = None,
    progress: Progress = silent,
    **options: Unpack[DistillationOptions],
) -> Distillation:
    """Load the data, and the teacher with its weights; train it once where it has none.

    Without a teacher, students can be trained alone.

    Raises:
        DiswotError: something does not exist or does not fit.
        TeacherError: the teacher is little better than chance.
    """
    root, device = options.get("data_root"), find_device(options.get("device"))
    if options.get("tensorboard"):
        check_tensorboard()
    subject = find_subject(options, data=data)
    images = cast(ImageData, subject.task.prepared(subject.load(progress), options))
    recipe = _recipe(images, options)
    found = Distillation(images, None, recipe, device, options.get("tensorboard", False))
    if teacher is None:
        return found
    taught_by = trained_teacher(
        teacher,
        images,
        weights=options.get("teacher_weights"),
        classes=options.get("teacher_classes"),
        epochs=options.get("teacher_epochs") or teacher_epochs(recipe.epochs),
        root=find_root(root),
        device=device,
        force=options.get("force", False),
        progress=progress,
    )
    return replace(found, teacher=taught_by)


def recipe_options(images: ImageData, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of the recipe, with the values used in place of those left open."""
    recipe = _recipe(images, options)
    used = {name: getattr(recipe, name, None) for name in declared(RecipeOptions)}
    return used | {"train_batch_size": recipe.batch_size}


def teacher_epochs(epochs: int) -> int:
    """Return the epochs of a teacher that is trained for students of so many epochs."""
    return 3 * epochs


def _recipe(images: ImageData, options: Mapping[str, Any]) -> Recipe:
    chosen = {name: options.get(name) for name in declared(RecipeOptions)}
    return default_recipe(images, batch_size=chosen.pop("train_batch_size"), **chosen)


@takes_options
def check_distillation(
    teacher: str | nn.Module | Teacher | None,
    *,
    data: Any = None,
    loss: str = "diswot",
    **options: Unpack[DistillationOptions],
) -> None:
    """Raise what can be said of a distillation before data are read or a teacher is trained.

    Raises:
        DiswotError: a name does not exist, or options contradict each other.
    """
    device, objective = find_device(options.get("device")), parse_objective(loss)
    if options.get("tensorboard"):
        check_tensorboard()
    check_recipe({name: options.get(name) for name in declared(RecipeOptions)})
    check_precision(options.get("precision"), device)
    subject = find_subject(options, data=data)
    subject.check()
    if objective.needs_teacher:
        if teacher is None:
            raise needs_a_teacher(objective.text)
        subject.task.check_teacher(
            teacher,
            weights=options.get("teacher_weights"),
            teacher_classes=options.get("teacher_classes"),
            teacher_epochs=options.get("teacher_epochs"),
        )


@takes_options
def distill(
    student: nn.Module,
    teacher: str | nn.Module | Teacher | None = DEFAULT,
    *,
    data: Any = None,
    loss: str = "diswot",
    out: str | Path | None = None,
    progress: Progress | bool | None = None,
    **options: Unpack[DistillationOptions],
) -> Training:
    """Train `student` in place towards a teacher.

    Args:
        student: any network that returns logits, see
            [`output_of`][diswot.networks.output.output_of].
        teacher: a built-in name, `package.module:callable`, or a network. The last two
            are taken to be trained; a built-in one without a checkpoint is trained on
            the data, once, and kept under the data root. By default the task's; `None` for
            none. Not looked at with `alone`.
        data: a built-in name, `package.module:callable`, or a dataset; by default the task's.
        loss: an expression such as `ce + 0.9*kd(T=4) + 100*at`, or a preset: `diswot`
            (CE+KL), `diswot-dagger` (with the two similarity losses), `alone` (the
            labels only).
        out: where checkpoints and `metrics.csv` go, by default nowhere; where a training of
            the same was stopped, it goes on.
        progress: a function that is told of every step, or `False` for nothing; by default bars
            are drawn where standard error is a terminal, or in a notebook.
        **options: see [`DistillationOptions`][diswot.training.DistillationOptions].

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
        >>> report.test.n
        1297
    """
    with shown(progress) as tell:
        subject = find_subject(options, teacher=teacher, data=data)
        teacher = None if teacher is None else subject.teacher
        check_distillation(teacher, data=data, loss=loss, **options)
        folder = None if out is None else training_folder(out)
        images = cast(ImageData, subject.load(tell))
        check_takes(student, images, "the student", training=True)
        taught_by = teacher if parse_objective(loss).needs_teacher else None
        with nullcontext() if folder is None else working_in(folder):
            distillation = prepare_distillation(taught_by, data=images, progress=tell, **options)
            return distillation.train(student, loss=loss, folder=folder, progress=tell)
