"""The base class of methods, the option `--method` of `diswot run`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diswot.progress import Progress
from diswot.students import Fresh, StudentSource
from diswot.tasks import Dataset, NoOptions, SplitName, Task
from diswot.teachers import Teacher
from diswot.training import DistillationMethod, MakeMethod
from search_spaces import SearchSpace


@dataclass(frozen=True)
class Workshop:
    """Everything from which a method makes the source of students.

    Attributes:
        teacher: returns the teacher with weights; trains it first if it has none.
        space: the search space.
        data: the dataset.
        root: the data root, under which trained networks are cached.
        device: torch device.
        seed: seed of the run.
        options: options of the method, including defaults.
        progress: receives every step.
    """

    teacher: Callable[[], Teacher]
    space: SearchSpace
    data: Dataset
    root: Path
    device: str
    seed: int
    options: Mapping[str, Any]
    progress: Progress


class RunMethod:
    """Base class of methods: where the students of a run come from.

    Attributes:
        name: name in options and manifests.
        summary: description in one line.
        options: a `TypedDict` of `diswot.options.Option` with the options of this method.
        defaults: other defaults for options of `diswot run`, by name.
        needs_teacher: whether the teacher's weights are needed before the search.
        trains_source: whether `source` trains networks, so that students are trained only in runs.
        scored_on: split whose batches candidates are scored on.
    """

    name: str
    summary: str
    options: type = NoOptions
    defaults: Mapping[str, Any] = {}
    needs_teacher: bool = False
    trains_source: bool = False
    scored_on: SplitName = "train"

    def check(self, task: Task, options: Mapping[str, Any]) -> None:
        """Check task and options before data are read.

        Args:
            task: the task of the run.
            options: all options of the run, including the method's own.

        Raises:
            OptionError: the method does not support the task, or options do not fit.
        """

    def recorded(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return options of the method for the manifest, valid in any working directory.

        Args:
            options: options of the method, including defaults.
        """
        return dict(options)

    def searched(self, data: Dataset, options: Mapping[str, Any]) -> Dataset:  # noqa: ARG002
        """Return the dataset on which candidates are scored; by default `data` itself.

        Args:
            data: the dataset of the run.
            options: options of the method, including defaults.
        """
        return data

    def losses(self, task: Task, options: Mapping[str, Any]) -> tuple[str, ...]:  # noqa: ARG002
        """Return the losses with which the winner of a run is trained, in order.

        The first one that reads the teacher is also used for baselines and shortlists. One that
        does not read it measures what the teacher adds.

        Args:
            task: the task of the run.
            options: options of the method, including defaults.
        """
        return task.losses

    def training(self, options: Mapping[str, Any]) -> MakeMethod:  # noqa: ARG002
        """Return what makes the training method of a student; by default distillation.

        Args:
            options: options of the method, including defaults.
        """
        return DistillationMethod

    def source(self, workshop: Workshop) -> StudentSource:
        """Return the source of students, which may be trained now or loaded from a cache.

        A method that needs the teacher checks everything else before it calls
        `workshop.teacher`, which may train it.

        Args:
            workshop: data, teacher, space and options of the run.

        Raises:
            DiswotError: the source cannot be made for these data, teacher and space.
        """
        return Fresh(workshop.space, workshop.data.signature, scored_on=self.scored_on)


class Distilled(RunMethod):
    """Randomly initialized students, which are scored without training and then distilled."""

    name = "distillation"
    summary = "students at random initialization, scored without training"
