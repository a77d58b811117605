"""`train_teacher`: train a teacher on labels, for use as `teacher_weights`."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack

from diswot.bars import displayed
from diswot.errors import OptionError
from diswot.options import DistillationOptions
from diswot.progress import Progress
from diswot.runs import working_in
from diswot.seeding import seed_for
from diswot.students import Origin, set_origin
from diswot.tasks import find_subject, takes_task_options
from diswot.training._api import check_distillation, prepare_distillation
from diswot.training._argument_checks import GivenTeacher, own_options
from diswot.training._saved_students import training_folder
from diswot.training._teacher import named_teacher
from diswot.training._training_result import Training


@takes_task_options
def check_teacher_training(
    teacher: GivenTeacher,
    *,
    data: Any,
    **options: Unpack[DistillationOptions],
) -> None:
    """Check the options of a teacher's training before data are read.

    Args:
        teacher: a name, `package.module:callable`, or a network.
        data: a name, a folder, `package.module:callable`, or a dataset.
        **options: see [`DistillationOptions`][diswot.training.DistillationOptions].

    Raises:
        DiswotError: a name does not exist, or options contradict each other.
    """
    if options.get("teacher_epochs") is not None:
        raise OptionError("teacher_epochs is for distillation: use epochs for this training")
    task = find_subject(options, data=data).task
    check_distillation(None, data=data, loss=task.teacher_loss, **options)
    task.check_teacher(teacher, weights=options.get("teacher_weights"), **own_options(options))


@takes_task_options
def train_teacher(
    teacher: GivenTeacher | None = None,
    *,
    out: str | Path,
    data: Any = None,
    progress: Progress | bool | None = None,
    **options: Unpack[DistillationOptions],
) -> Training:
    """Train a teacher on labels only; its best weights are `best.safetensors` in `out`.

    Args:
        teacher: anything that [`find_teacher`][diswot.tasks.Task.find_teacher] accepts; if it
            has weights, it is fine-tuned from them; by default the task's teacher.
        out: a new folder for checkpoints, weights, `metrics.csv` and `report.json`; a stopped
            training with the same settings in it is resumed.
        data: a built-in name, a folder, `package.module:callable`, or a dataset; by default
            the task's.
        progress: a callback for every step, or `False` for none; by default progress bars are
            drawn if standard error is a terminal or this is a notebook.
        **options: see [`DistillationOptions`][diswot.training.DistillationOptions].

    Returns:
        History and measures of the training.

    Raises:
        DiswotError: a name does not exist, options contradict each other, or the teacher does
            not fit the data.
        RunError: the loss is not finite.
    """
    with displayed(progress) as report:
        teacher = find_subject(options, teacher=teacher, data=data).teacher
        check_teacher_training(teacher, data=data, **options)
        folder = training_folder(out)
        with working_in(folder):
            distillation = prepare_distillation(None, data=data, progress=report, **options)
            loaded = distillation.data
            result, network = named_teacher(
                teacher,
                loaded,
                weights=options.get("teacher_weights"),
                seed=seed_for(distillation.recipe.seed, "teacher"),
                progress=report,
                **own_options(options),
            )
            own = loaded.for_teacher(loaded.task.teachers[0])
            set_origin(network, Origin(own.signature, result.name))
            return replace(distillation, data=own).train(
                network,
                loss=loaded.task.teacher_loss,
                folder=folder,
                progress=report,
                stage="teacher",
            )
