"""A kind of data, and all that is true of it alone."""

from abc import ABC, abstractmethod
from collections.abc import Container, Mapping
from pathlib import Path
from typing import Any, Protocol, TypedDict

from torch import nn

from diswot.errors import OptionError
from diswot.progress import Progress, silent
from diswot.references import NO_CODE
from diswot.tasks._examples import Changes, Examples
from diswot.tasks._metric import Metric
from diswot.tasks._packaging import Packaging
from diswot.tasks._prediction import Prediction
from diswot.teachers import Teacher, TeacherSources
from search_spaces import Signature


class Dataset(Examples, Protocol):
    """Examples with the task that they are data of, and what their networks are measured by."""

    @property
    def task(self) -> "Task":
        """The task that it is data of."""

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What networks are measured by; the first selects weights and students."""

    def for_teacher(self, teacher: str) -> "Dataset":
        """Return what a teacher is trained on that has no weights, often these data.

        Args:
            teacher: its name among the `teachers` of the task.
        """


class NoOptions(TypedDict):
    """Options of a task that has none of its own."""


class Task(ABC):
    """What networks take, give and are measured by, for one kind of data.

    A task is one package: its data, batches, augmentation, metrics, teachers, and what an
    exported student says about its input. Everything else asks for these through the task.

    Attributes:
        name: what it is called in options and manifests.
        summary: one line.
        noun: what one example is called in texts, such as `image`.
        options: a `TypedDict` of `diswot.options.Option` for those that its data alone have.
        reads: what losses and scorers can read of its networks, by the names on their cards.
        datasets: names of built-in datasets.
        named_data: texts that stand for data and never for code.
        data: the dataset where none is named.
        teacher: the teacher where none is named.
        space: the search space where none is named.
        losses: what the winner of the main job is trained with, by name; the first is of
            the ground truth alone, and the second is also that of the baselines.
        teachers: names of the teachers that a student is distilled from together; the first is what
            losses of one teacher read.
        outputs: what the numbers are that a network returns, in messages.
        teacher_views: what of the option `teacher_view` there is.
        streams: whether examples can be read in processes while students train.
    """

    name: str
    summary: str
    noun: str = "example"
    reads: frozenset[str]
    options: type = NoOptions
    datasets: Container[str] = ()
    named_data: Container[str] = NO_CODE
    data: str
    teacher: str
    space: str
    losses: tuple[str, ...]
    teachers: tuple[str, ...] = ("teacher",)
    outputs: str = "outputs"
    teacher_views: tuple[str, ...] = ()
    streams: bool = False

    @abstractmethod
    def check(self, data: Any, **options: Any) -> None:
        """Check data that are asked for before anything is read.

        Raises:
            DiswotError: no dataset has that name, or the options do not fit.
        """

    @abstractmethod
    def load(
        self,
        data: Any,
        *,
        root: str | Path | None = None,
        progress: Progress = silent,
        **options: Any,
    ) -> Dataset:
        """Return the dataset that is meant.

        Args:
            data: a name, a folder, `package.module:callable`, or a dataset itself.
            root: the data root; by default the variable `DISWOT_DATA`, else the user's cache.
            progress: receives what was inferred.
            **options: of the task's own, such as `image_size`.

        Raises:
            DiswotError: the dataset is missing, damaged or unfit.
        """

    def prepared(self, dataset: Dataset, options: Mapping[str, Any]) -> Dataset:  # noqa: ARG002
        """Return the dataset with what options of a training say of it, such as `flips`."""
        return dataset

    def recipe(self, dataset: Dataset) -> Mapping[str, Any]:  # noqa: ARG002
        """Return settings of a recipe whose defaults are others for such data, by their names.

        Args:
            dataset: what is trained on.
        """
        return {}

    def check_changes(self, changes: Changes) -> None:  # noqa: B027
        """Refuse what of a recipe means nothing for such data, before anything is trained.

        Raises:
            OptionError: something does.
        """

    def recorded(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return options of the task's own as manifests keep them, in need of no other file."""
        return dict(options)

    def upgraded(self, record: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return a record of an earlier version with its signature and measures as today's."""
        return record

    @property
    def teacher_sources(self) -> TeacherSources:
        """What `--teacher` can be; without a definition, networks and callables of the user's."""
        return TeacherSources()

    def check_teacher(
        self,
        teacher: str | nn.Module | Teacher,
        *,
        weights: str | Path | None = None,
        teacher_epochs: int | None = None,
        teacher_state: str | None = None,
        **options: Any,
    ) -> None:
        """Check a teacher before there are data for it.

        Args:
            teacher: a name, a reference such as `hf:FOLDER`, a network or a teacher.
            weights: a checkpoint to load into it.
            teacher_epochs: how long it is to be trained.
            teacher_state: the weights that scores are to see it with.
            **options: of the task's own, such as `teacher_classes`.

        Raises:
            DiswotError: it does not exist, cannot be had, or an option means nothing for it.
        """
        self._refuse(options)
        self.teacher_sources.check(
            teacher, weights=weights, epochs=teacher_epochs, state=teacher_state
        )

    def find_teacher(
        self,
        teacher: str | nn.Module | Teacher,
        dataset: Dataset,
        *,
        weights: str | Path | None = None,
        **options: Any,
    ) -> Teacher:
        """Return the teacher that is meant.

        Args:
            teacher: a name of `teacher_sources`; `package.module:callable`, called with
                `signature` and what else the task offers, where it takes it; or a network. The
                last two are taken to be trained as they come. A `Teacher` is returned as it is.
            dataset: what it is to be a teacher for.
            weights: a checkpoint to load into it.
            **options: of the task's own, such as `teacher_classes`.

        Raises:
            DiswotError: it does not exist, cannot be had, or does not fit the data.
        """
        self._refuse(options)
        return self.teacher_sources.find(teacher, {"signature": dataset.signature}, weights=weights)

    def check_trained(
        self,
        teacher: Teacher,  # noqa: ARG002
        network: nn.Module,  # noqa: ARG002
        dataset: Dataset,  # noqa: ARG002
        *,
        device: str = "cpu",  # noqa: ARG002
        force: bool = False,  # noqa: ARG002
        progress: Progress = silent,  # noqa: ARG002
    ) -> str | None:
        """Check a teacher with its weights before anything is scored or trained.

        Args:
            teacher: what it is.
            network: it, with its weights.
            dataset: what it is a teacher for.
            device: where to compute.
            force: whether to take one that would be better if it were taken otherwise.
            progress: receives what was found, and warnings.

        Returns:
            What to do about it if it is near chance; `None` where nothing in particular is known.

        Raises:
            TeacherError: it would be better if it were taken otherwise.
        """
        return None

    def _refuse(self, options: Mapping[str, Any]) -> None:
        """Refuse options that only other tasks have."""
        given = [name for name, value in options.items() if value is not None]
        if given:
            option = f"--{given[0].replace('_', '-')}"
            raise OptionError(f"{option} means nothing for the task {self.name}: leave it out")

    def packaging(self, signature: Signature, dataset: Dataset | None = None) -> Packaging:  # noqa: ARG002
        """Return what an exported student says about its data, and how `predict.py` reads them.

        By default `predict.py` takes arrays as the dataset gives them to the network.

        Args:
            signature: what the student takes and gives.
            dataset: what it was trained on, where that is known.
        """
        return Packaging(signature)

    def prediction(self, folder: Path, config: Mapping[str, Any], *, top: int = 1) -> Prediction:
        """Return what reads users' examples for an exported student, and names its answers.

        By default examples are arrays in files, and answers the numbers of the output.

        Args:
            folder: of the exported student.
            config: what its `config.json` holds.
            top: how many answers are wanted of each example, where there are several.
        """
        return Prediction(folder, config, top=top)
