"""How the students of a run are made and trained, as an option of `run`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diswot.progress import Progress
from diswot.students import Fresh, StudentSource
from diswot.tasks import Dataset, NoOptions, Task
from diswot.teachers import Teacher
from search_spaces import SearchSpace


@dataclass(frozen=True)
class Workshop:
    """What a method makes the students of a run with.

    Attributes:
        teacher: returns the teacher with its weights, trained now where it has none.
        space: the search space.
        data: what the run is of.
        root: the data root, where what is trained once is kept.
        device: where to compute.
        seed: of the run.
        options: of the method's own, with their defaults.
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
    """How the students of a run are made, before and after they are searched.

    Attributes:
        name: what it is called in options and manifests.
        summary: one line.
        options: a `TypedDict` of `diswot.options.Option` for those that it alone has.
        defaults: options of `run` that it would have otherwise where they are not given.
        needs_teacher: whether the teacher needs its weights before the search.
    """

    name: str
    summary: str
    options: type = NoOptions
    defaults: Mapping[str, Any] = {}
    needs_teacher: bool = False

    def check(self, task: Task, options: Mapping[str, Any]) -> None:
        """Raise what can be said before data are read.

        Args:
            task: of the run.
            options: of the run, the method's own among them.

        Raises:
            OptionError: the method cannot be used for such a task, or options do not fit.
        """

    def searched(self, data: Dataset) -> Dataset:
        """Return what candidates are scored on: by default the data as they are."""
        return data

    def source(self, workshop: Workshop) -> StudentSource:
        """Return where students come from, made now or read where it was made before.

        Raises:
            DiswotError: it cannot be made of these data, teacher and space.
        """
        return Fresh(workshop.space, workshop.data.signature)


class Distilled(RunMethod):
    """Students at random initialization, scored without training and then distilled."""

    name = "distillation"
    summary = "students at random initialization, scored without training"
