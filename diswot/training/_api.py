"""`distill`: train a student on data with a teacher, by name or as objects."""

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
from diswot.training._argument_checks import (
    GivenTeacher,
    check_compatible,
    check_own,
    named_teachers,
    own_options,
)
from diswot.training._distillation import Distillation
from diswot.training._recipe import Recipe, check_recipe, default_recipe
from diswot.training._saved_students import training_folder
from diswot.training._teacher import TrainedTeacher, trained_teacher
from diswot.training._training_result import Training


@takes_task_options
def prepare_distillation(
    teacher: GivenTeacher | Mapping[str, GivenTeacher] | None,
    *,
    data: Any = None,
    progress: Progress = silent,
    **options: Unpack[DistillationOptions],
) -> Distillation:
    """Load data and teachers; teachers without weights are trained once and cached.

    Args:
        teacher: a name, `package.module:callable`, or a network; for tasks with several
            teachers, one for all of them, or a mapping by their names in the task; `None` to
            train students without a teacher.
        data: a name, a folder, `package.module:callable`, or a dataset; by default the task's.
        progress: receives every step.
        **options: see [`DistillationOptions`][diswot.training.DistillationOptions].

    Returns:
        Data, teachers and recipe, with which any number of students can be trained.

    Raises:
        DiswotError: a name does not exist, options contradict each other, or the teacher does
            not fit the data.
        TeacherError: the teacher is hardly better than chance.
    """
    root, device = options.get("data_root"), find_device(options.get("device"))
    subject = find_subject(options, data=data)
    task = subject.task
    loaded = task.prepared(subject.load(progress), options)
    recipe = recipe_of(loaded, options)
    teachers: dict[str, TrainedTeacher] = {}
    for name, given in named_teachers(teacher, task).items():
        teachers[name] = trained_teacher(
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
        loaded = teachers[name].data
    return Distillation(loaded, teachers, recipe, device)


def recipe_options(data: Dataset, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the recipe's options by name, with defaults filled in.

    Args:
        data: the dataset, on which some defaults depend.
        options: options as given; `None` or missing ones get their default.
    """
    recipe = recipe_of(data, options)
    used = {name: getattr(recipe, name, None) for name in declared(RecipeOptions)}
    return used | {"train_batch_size": recipe.batch_size}


def teacher_epochs(epochs: int) -> int:
    """Return the default epochs of a teacher: three times those of the students."""
    return 3 * epochs


def recipe_of(data: Dataset, options: Mapping[str, Any]) -> Recipe:
    """Return the recipe for data and the options of a training.

    Args:
        data: the dataset, on which some defaults depend.
        options: options as given; `None` or missing ones get their default.

    Raises:
        OptionError: a value is out of range, or does not apply to such data.
    """
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
    """Check the options of a distillation before data are read or a teacher is trained.

    Args:
        teacher: as for `distill`.
        data: a name, a folder, `package.module:callable`, or a dataset; by default the task's.
        loss: an expression or preset; by default the task's.
        **options: see [`DistillationOptions`][diswot.training.DistillationOptions].

    Raises:
        DiswotError: a name does not exist, or options contradict each other.
    """
    device, subject = find_device(options.get("device")), find_subject(options, data=data)
    task = subject.task
    objective = parse_objective(loss or task.losses[1])
    check_recipe({name: options.get(name) for name in declared(RecipeOptions)})
    check_precision(options.get("precision"), device)
    objective.check_reads(task.reads, task=task.name)
    check_own(options, task)
    subject.check()
    if objective.needs_teacher:
        if teacher is None:
            raise needs_a_teacher(objective.text)
        for item in named_teachers(teacher, task).values():
            task.check_teacher(
                item,
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
    """Train `student` in place by distillation from a teacher.

    Args:
        student: any network that returns logits, see
            [`output_of`][diswot.networks.output.output_of].
        teacher: a built-in name, `package.module:callable`, or a network; by default the
            task's, `None` for none. Networks and callables must already be trained; a built-in
            teacher without a checkpoint is trained on the data once and cached under the data
            root. Ignored with the loss `alone`. For tasks with several teachers: one for all,
            or a mapping by name.
        data: a built-in name, `package.module:callable`, or a dataset; by default the task's.
        loss: an expression such as `ce + 0.9*kd(T=4) + 100*at`, or a preset: `diswot`
            (CE+KL), `diswot-dagger` (with the two similarity losses), or `alone` (labels
            only); by default the task's distillation loss, for images `diswot`.
        out: folder for checkpoints, weights and `metrics.csv`; a stopped training in it is
            resumed. By default nothing is written.
        progress: a callback for every step, or `False` for none; by default progress bars are
            drawn if standard error is a terminal or this is a notebook.
        **options: see [`DistillationOptions`][diswot.training.DistillationOptions].

    Returns:
        History and measures of the training; `student` has the weights of its best epoch.

    Raises:
        DiswotError: a name does not exist, options contradict each other, or student, teacher
            and data do not fit together.
        RunFolderError: `out` is in use, or has another training in it.
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
