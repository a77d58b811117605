"""Many trainings of students in several processes, recorded as they finish, resumable."""

import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeVar, cast

from torch import nn

from diswot.bench.record_store import RecordStore, processes
from diswot.errors import DiswotError, OptionError, RunError, first_line
from diswot.finished import as_finished
from diswot.progress import Progress, Step
from diswot.search import check_architecture, find_space, parse_architecture
from diswot.seeding import seed_for
from diswot.students import build_student
from diswot.tasks import Dataset
from diswot.tasks.images import with_fewer
from diswot.training import Distillation, default_recipe, prepare_distillation

_T = TypeVar("_T", bound=tuple[Hashable, ...])


@dataclass(frozen=True)
class TrainingSettings:
    """Data, teacher and recipe of students' trainings.

    Attributes:
        data: name of the dataset.
        data_root: folder of datasets and trained teachers.
        teacher: name of a built-in teacher; trained once on all training images.
        teacher_weights: checkpoint to load into the teacher.
        teacher_epochs: epochs of a built-in teacher that has to be trained; see
            `prepare_distillation`.
        train_images: number of images that students are trained on, drawn once; `None` for all.
        epochs: epochs of each student's training; `None` for the recipe's default.
        batch_size: batch size of each student's training; `None` for the recipe's default.
        precision: `single`, `bf16` or `fp16`; see `Recipe`.
        device: device such as `cpu` or `cuda:0`; by default a GPU if there is one.
        force: whether to distill from a teacher whose accuracy is near chance.
        image_size: height and width to which the images of a folder are resized.
    """

    data: str = "digits"
    data_root: str | None = None
    teacher: str = "resnet56"
    teacher_weights: str | None = None
    teacher_epochs: int | None = None
    train_images: int | None = None
    epochs: int | None = None
    batch_size: int | None = None
    precision: str = "single"
    device: str | None = None
    force: bool = False
    image_size: int | None = None

    def recorded(self) -> dict[str, Any]:
        """Return the settings that the results depend on."""
        left_out = ["data_root", "device", "force"]
        left_out += ["image_size"] * (self.image_size is None)  # earlier manifests lack it
        return {name: value for name, value in asdict(self).items() if name not in left_out}


@cache
def distillation_for(settings: TrainingSettings) -> Distillation:
    """Return teacher, data and recipe; cached per process."""
    own_options = {} if settings.image_size is None else {"image_size": settings.image_size}
    whole = prepare_distillation(
        settings.teacher,
        data=settings.data,
        data_root=settings.data_root,
        teacher_weights=settings.teacher_weights,
        teacher_epochs=settings.teacher_epochs,
        precision=settings.precision,
        device=settings.device,
        force=settings.force,
        **cast(Any, own_options),
    )
    data = with_fewer(whole.data, settings.train_images)
    recipe = default_recipe(
        data,
        epochs=settings.epochs,
        batch_size=settings.batch_size,
        precision=settings.precision,
    )
    return replace(whole, data=data, recipe=recipe)


def student_of(name: str, data: Dataset, *, seed: int) -> nn.Module:
    """Build a student, initialized by `seed`.

    Args:
        name: name of a built-in network, or SPACE:ARCHITECTURE.
        data: dataset, for the network's input shape and number of outputs.
        seed: seed of the initialization.

    Raises:
        DiswotError: the network is unknown, or does not fit the data.
    """
    if name in data.task.teacher_sources.built_in:
        return data.task.find_teacher(name, data).initialized(seed_for(seed, "student", name))
    space, colon, arch = name.rpartition(":")
    if not colon:
        raise OptionError(
            f"unknown student {name!r}: name a network of `diswot list teachers`, or "
            "SPACE:ARCHITECTURE, for example s0:3-1-5"
        )
    return student_in(space, arch, data, seed=seed)


def student_in(space: str, name: str, data: Dataset, *, seed: int) -> nn.Module:
    """Build the student of a space's architecture, initialized by `seed`.

    Raises:
        DiswotError: the space or architecture is unknown, or does not fit the data.
    """
    found_space = find_space(space, data.signature)
    arch = parse_architecture(found_space, name)
    check_architecture(found_space, arch, data)
    return build_student(found_space, arch, data.signature, seed=seed_for(seed, "student", name))


class Trainings:
    """Trainings in a folder, each recorded when it has finished, with its seconds.

    Args:
        settings: settings of all trainings, which the records depend on.
        out: a new folder, or an interrupted one with the same settings, which is resumed.
        key: keys of a record whose values are its task.
    """

    def __init__(self, settings: dict[str, Any], out: Path, *, key: Sequence[str]) -> None:
        self._store = RecordStore(out, settings, key=key)

    def run(
        self,
        tasks: Sequence[_T],
        one: Callable[[_T], dict[str, Any]],
        *,
        before: Callable[[], object],
        workers: int,
        progress: Progress,
    ) -> dict[tuple[Hashable, ...], dict[str, Any]]:
        """Run all tasks and return task → record; recorded tasks are not run again.

        Args:
            tasks: tuples of the values of `key`.
            one: runs a task and returns its record; called in the workers. The wall-clock
                `seconds` of the task are added to a record without them.
            before: called once in this process if any task is left, to prepare shared results.
            workers: number of processes.
            progress: called after every task.

        Raises:
            RunError: trainings failed; the records of the others are kept.
        """
        with self._store as store:
            # Resume: only tasks without a record are run.
            left = [task for task in tasks if task not in store.records]
            if left:
                before()
            for done, record in enumerate(_done(left, one, workers), len(tasks) - len(left)):
                store.append(record)
                progress(Step("train", done + 1, len(tasks), _note(record)))
        return store.records


def _done(
    tasks: Sequence[_T], one: Callable[[_T], dict[str, Any]], workers: int
) -> Iterator[dict[str, Any]]:
    failures = []
    with processes(workers) as pool:
        waiting = {pool.submit(partial(_timed, one), task): task for task in tasks}
        for ready in as_finished(waiting):
            try:
                yield ready.result()
            except (DiswotError, RunError) as error:
                failures.append(f"{waiting[ready]}: {first_line(error)}")
    if failures:
        raise RunError(f"{len(failures)} trainings failed, the first of {failures[0]}")


def _timed(one: Callable[[_T], dict[str, Any]], task: _T) -> dict[str, Any]:
    started = time.perf_counter()
    record = one(task)
    return {**record, "seconds": record.get("seconds", round(time.perf_counter() - started, 1))}


def _note(record: dict[str, Any]) -> str:
    names = " ".join(value for value in record.values() if isinstance(value, str))
    values = (f"{name} {value:.4g}" for name, value in record.items() if isinstance(value, float))
    return f"{names}: {', '.join(values)}"
