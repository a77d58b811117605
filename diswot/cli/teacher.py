"""`diswot teacher`: train a teacher, or let it predict the classes of unlabeled images."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from diswot.cli import _options as shared
from diswot.cli._command import Command
from diswot.cli._declared import Folder, flagged
from diswot.cli._progress import Display, displayed_progress, tracked_progress
from diswot.cli._tables import counted, print_json, print_table
from diswot.cli._terminal import say
from diswot.cli._trainings import located, options_before
from diswot.errors import OptionError
from diswot.runs import working_in
from diswot.runs.folder import check_new_folder, next_folder

if TYPE_CHECKING:
    from diswot.training import TrainingManifest

_TEXTS = ("teacher", "data")
"""Required options of a training."""


@click.group()
def teacher() -> None:
    """Train the network that students are distilled from, or let it predict classes.

    Example: diswot teacher train wrn-40-2 --data cifar100 --epochs 240 --out wrn-40-2
    """


@teacher.command(cls=Command)
@click.argument("name", required=False)
@shared.TASK
@shared.TEACHER_WEIGHTS
@shared.TEACHER_CLASSES
@shared.DATA
@shared.IMAGE_SIZE
@shared.DATA_ROOT
@shared.recipe_options
@shared.SEED
@shared.DEVICE
@flagged("--out", type=Folder(), help="A new folder; one in runs/.")
@shared.TRACK
@shared.JSON
def train(
    name: str | None,
    data: str | None,
    out: Path | None,
    track: Sequence[str] | None,
    as_json: bool,
    **chosen: Any,
) -> None:
    """Train a teacher on the labels. NAME is any value of --teacher; by default the task's.

    A teacher that has weights is fine-tuned. `diswot resume` resumes a training that was
    stopped.

    Example: diswot teacher train vgg13 --data digits --epochs 20 --out vgg13
    """
    from diswot.tasks import find_subject
    from diswot.training import is_unfinished

    subject = find_subject(chosen, teacher=name, data=data)
    chosen |= subject.task.recorded({"teacher_classes": chosen["teacher_classes"]})
    folder = out or next_folder(Path("runs"), f"teacher-{subject.teacher}")
    if not is_unfinished(folder):
        check_new_folder(folder)
    options = {"teacher": subject.teacher, "data": subject.data, **chosen}
    display = tracked_progress(track, folder)
    _train(folder, located(options, subject.task), display, as_json=as_json)


@teacher.command(cls=Command)
@click.argument("pool")
@shared.TEACHER
@shared.TEACHER_WEIGHTS
@shared.TEACHER_CLASSES
@shared.SIDE
@shared.DATA_ROOT
@shared.DEVICE
@flagged("--out", type=Folder(), help="A new folder; one in runs/.")
@shared.JSON
def label(
    pool: str,
    teacher: str | None,
    teacher_weights: str | None,
    teacher_classes: str | None,
    image_size: int | None,
    data_root: str | None,
    device: str | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Divide images without labels into splits, with a teacher's predictions as classes.

    POOL is a folder with images at any depth, or a dataset. The result is a value of --data, on
    which students are evaluated by their agreement with the teacher.

    Example: diswot teacher label web/ --teacher hf:beans --teacher-classes beans/config.json
    """
    from diswot.devices import find_device
    from diswot.tasks.images import check_pool, pseudo_labeled, write_pseudo_labeled

    if teacher is None or teacher_classes is None:
        raise OptionError(
            "the predictions of a teacher need one with weights (--teacher), and the names of its "
            "classes in the order of its outputs (--teacher-classes FILE)"
        )
    check_pool(pool, least=1)
    folder = out or next_folder(Path("runs"), f"labeled-{Path(pool).name}")
    check_new_folder(folder)
    with displayed_progress() as progress, working_in(folder, resumable=False):
        data = pseudo_labeled(
            pool,
            teacher,
            classes=teacher_classes,
            weights=teacher_weights,
            image_size=image_size,
            root=data_root,
            device=find_device(device),
            progress=progress,
        )
        write_pseudo_labeled(data, folder)
    if as_json:
        print_json({"folder": str(folder), "teacher": teacher, "images": data.summary()})
        return
    say(f"{data.summary()}, predicted by {teacher}")
    given = {"teacher": teacher, "teacher-weights": teacher_weights, "data": str(folder)}
    flags = [f"--{name} {shlex.quote(value)}" for name, value in given.items() if value]
    say(f"Next: diswot run --method web-images {' '.join(flags)}")


def resume_training(
    folder: Path,
    manifest: TrainingManifest,
    given: Mapping[str, Any],
    display: Display,
    *,
    as_json: bool,
) -> None:
    """Resume a stopped `diswot teacher train`; the folder has its checkpoint and manifest."""
    options = options_before(train, manifest, given, folder=folder, texts=_TEXTS)
    _train(folder, options, display, as_json=as_json)


def _train(folder: Path, options: Mapping[str, Any], display: Display, *, as_json: bool) -> None:
    from diswot.tasks import find_subject
    from diswot.training import (
        TrainingManifest,
        check_teacher_training,
        prepare_distillation,
        train_teacher,
    )

    chosen = dict(options)
    teacher, data = (chosen.pop(name) for name in _TEXTS)
    subject = find_subject(chosen, data=data)
    chosen = subject.without_own(chosen)
    subject.check()
    check_teacher_training(teacher, data=data, **chosen)
    with working_in(folder), display as progress:
        images = subject.load(progress)
        alike = prepare_distillation(None, data=images, **chosen).conditions("alone")
        of = {"network": teacher, **alike}
        with TrainingManifest("teacher train", options, of).kept(folder):
            training = train_teacher(teacher, data=images, out=folder, progress=progress, **chosen)
    weights, test = folder / "best.safetensors", training.test
    if as_json:
        record = {
            "folder": str(folder),
            "teacher": teacher,
            "weights": str(weights),
            "best_epoch": training.best_epoch,
            f"test_{test.name}": test.value,
            f"test_{test.name}_95": [test.low, test.high],
        }
        print_json(record)
        return
    print_table(
        f"Test {test.name}{test.unit and f' in {test.unit}'}, with 95 % interval",
        ["teacher", "best epoch", test.name],
        [[teacher, str(training.best_epoch), str(test)]],
        caption=f"{test.n:,} test examples, not used for selection; "
        f"seed {chosen.get('seed')}, {counted(len(training.history), 'epoch')}.",
    )
    flags = f"--teacher {shlex.quote(teacher)} --teacher-weights {shlex.quote(str(weights))}"
    say(f"Next: diswot run {flags}")
