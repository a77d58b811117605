"""`distill`: a student, a teacher and data in, a trained student out."""

from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Unpack, cast

from torch import nn

from diswot.bars import displayed
from diswot.devices import find_device
from diswot.losses import needs_a_teacher, parse_objective
from diswot.options import DistillationOptions, RecipeOptions, declared
from diswot.progress import Progress, silent
from diswot.runs import working_in
from diswot.tasks import DEFAULT, Dataset, find_subject, takes_task_options
from diswot.tasks import data_root as find_root
from diswot.training._acceleration import check_precision
from diswot.training._distillation import Distillation
from diswot.training._given import (
    GivenTeacher,
    check_compatible,
    check_own,
    named_teachers,
    own_options,
)
from diswot.training._metrics import check_tensorboard
from diswot.training._recipe import Recipe, check_recipe, default_recipe
from diswot.training._saved import training_folder
from diswot.training._teacher import trained_teacher
from diswot.training._trained import Training


@takes_task_options
def prepare_distillation(
    teacher: GivenTeacher | Mapping[str, GivenTeacher] | None,
    *,
    data: Any = None,
    progress: Progress = silent,
    **options: Unpack[DistillationOptions],
) -> Distillation:
    """Load the data, and the teachers with their weights; train them once where they have none.

    Without a teacher, students can be trained alone.

    Args:
        teacher: one for all that the task has, which differ in what they are trained on; or
            each by the name that the task has for it.
        data: a name, a folder, `package.module:callable`, or a dataset; by default the task's.
        progress: receives every step.
        **options: see [`DistillationOptions`][diswot.training.DistillationOptions].

    Raises:
        DiswotError: something does not exist or does not fit.
        TeacherError: the teacher is little better than chance.
    """
    root, device = options.get("data_root"), find_device(options.get("device"))
    if options.get("tensorboard"):
        check_tensorboard()
    subject = find_subject(options, data=data)
    task = subject.task
    loaded = task.prepared(subject.load(progress), options)
    recipe = _recipe(loaded, options)
    teachers = {
        name: trained_teacher(
            given,
            loaded,
            weights=options.get("teacher_weights"),
            role=name,
            epochs=options.get("teacher_epochs") or teacher_epochs(recipe.epochs),
            root=find_root(root),
            device=device,
            force=options.get("force", False),
            progress=progress,
            **own_options(options),
        )
        for name, given in named_teachers(teacher, task).items()
    }
    return Distillation(loaded, teachers, recipe, device, options.get("tensorboard", False))


def recipe_options(data: Dataset, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of the recipe, with the values used in place of those left open."""
    recipe = _recipe(data, options)
    used = {name: getattr(recipe, name, None) for name in declared(RecipeOptions)}
    return used | {"train_batch_size": recipe.batch_size}


def teacher_epochs(epochs: int) -> int:
    """Return the epochs of a teacher that is trained for students of so many epochs."""
    return 3 * epochs


def _recipe(data: Dataset, options: Mapping[str, Any]) -> Recipe:
    chosen = {name: options.get(name) for name in declared(RecipeOptions)}
    return default_recipe(data, batch_size=chosen.pop("train_batch_size"), **chosen)


@takes_task_options
def check_distillation(
    teacher: GivenTeacher | Mapping[str, GivenTeacher] | None,
    *,
    data: Any = None,
    loss: str | None = None,
    **options: Unpack[DistillationOptions],
) -> None:
    """Check a distillation before data are read or a teacher is trained.

    Raises:
        DiswotError: a name does not exist, or options contradict each other.
    """
    device, subject = find_device(options.get("device")), find_subject(options, data=data)
    task = subject.task
    objective = parse_objective(loss or task.losses[1])
    if options.get("tensorboard"):
        check_tensorboard()
    check_recipe({name: options.get(name) for name in declared(RecipeOptions)})
    check_precision(options.get("precision"), device)
    objective.check_reads(task.reads, task=task.name)
    check_own(options, task)
    subject.check()
    if objective.needs_teacher:
        if teacher is None:
            raise needs_a_teacher(objective.text)
        for each in named_teachers(teacher, task).values():
            task.check_teacher(
                each,
                weights=options.get("teacher_weights"),
                teacher_epochs=options.get("teacher_epochs"),
                **own_options(options),
            )


@takes_task_options
def distill(
    student: nn.Module,
    teacher: GivenTeacher | Mapping[str, GivenTeacher] | None = DEFAULT,
    *,
    data: Any = None,
    loss: str | None = None,
    out: str | Path | None = None,
    progress: Progress | bool | None = None,
    **options: Unpack[DistillationOptions],
) -> Training:
    """Distill a teacher into `student`, which is trained in place.

    Args:
        student: any network that returns logits, see
            [`output_of`][diswot.networks.output.output_of].
        teacher: a built-in name, `package.module:callable`, or a network. The last two
            are taken to be trained; a built-in one without a checkpoint is trained on
            the data, once, and kept under the data root. By default the task's; `None` for
            none. Not looked at with `alone`. Where the task has several teachers, one for all,
            or each by its name.
        data: a built-in name, `package.module:callable`, or a dataset; by default the task's.
        loss: an expression such as `ce + 0.9*kd(T=4) + 100*at`, or a preset: `diswot`
            (CE+KL), `diswot-dagger` (with the two similarity losses), `alone` (the
            labels only). By default the second of the task, `diswot` for images.
        out: where checkpoints and `metrics.csv` go, by default nowhere; where a training of
            the same was stopped, it resumes.
        progress: a function that receives every step, or `False` for nothing; by default bars
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
    with displayed(progress) as report:
        subject = find_subject(options, teacher=teacher, data=data)
        teacher = None if teacher is None else subject.teacher
        loss = loss or subject.task.losses[1]
        check_distillation(teacher, data=data, loss=loss, **options)
        folder = None if out is None else training_folder(out)
        loaded = subject.load(report)
        check_compatible(student, loaded, "the student", training=True)
        needed_teacher = teacher if parse_objective(loss).needs_teacher else None
        with nullcontext() if folder is None else working_in(folder):
            distillation = prepare_distillation(
                needed_teacher,
                data=loaded,
                progress=report,
                **cast(DistillationOptions, subject.without_own(options)),
            )
            return distillation.train(student, loss=loss, folder=folder, progress=report)
