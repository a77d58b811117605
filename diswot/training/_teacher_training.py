"""`train_teacher`: a network by name and data in, a checkpoint for `teacher_weights` out."""

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
from diswot.training._given import GivenTeacher, own_options
from diswot.training._saved import training_folder
from diswot.training._teacher import named_teacher
from diswot.training._trained import Training


@takes_task_options
def check_teacher_training(
    teacher: GivenTeacher,
    *,
    data: Any,
    **options: Unpack[DistillationOptions],
) -> None:
    """Check a teacher's training before data are read.

    Raises:
        DiswotError: a name does not exist, or options contradict each other.
    """
    if options.get("teacher_epochs") is not None:
        raise OptionError("teacher_epochs is of a distillation: give epochs for this training")
    task = find_subject(options, data=data).task
    check_distillation(None, data=data, loss=task.losses[0], **options)
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
    """Train a teacher on the truth alone; its best weights are `best.safetensors` in `out`.

    Args:
        teacher: what [`find_teacher`][diswot.tasks.Task.find_teacher] takes; one that has
            weights is trained on from them; by default the task's.
        out: a new folder for checkpoints, `metrics.csv` and `report.json`; where a training
            of the same was stopped, it resumes.
        data: a built-in name, a folder, `package.module:callable`, or a dataset; by default
            the task's.
        progress: a function that receives every step, or `False` for nothing; by default bars
            are drawn where standard error is a terminal, or in a notebook.
        **options: see [`DistillationOptions`][diswot.training.DistillationOptions].

    Raises:
        DiswotError: something that was asked for does not exist or does not fit.
        RunError: the loss is not finite.
    """
    with displayed(progress) as report:
        teacher = find_subject(options, teacher=teacher, data=data).teacher
        check_teacher_training(teacher, data=data, **options)
        folder = training_folder(out)
        with working_in(folder):
            distillation = prepare_distillation(None, data=data, progress=report, **options)
            loaded = distillation.data
            found, network = named_teacher(
                teacher,
                loaded,
                weights=options.get("teacher_weights"),
                seed=seed_for(distillation.recipe.seed, "teacher"),
                progress=report,
                **own_options(options),
            )
            set_origin(network, Origin(loaded.signature, found.name))
            return distillation.train(
                network,
                loss=loaded.task.losses[0],
                folder=folder,
                progress=report,
                stage="teacher",
            )
