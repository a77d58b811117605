"""The interfaces `Task` and `Dataset`: everything that is specific to one kind of problem."""

from abc import ABC, abstractmethod
from collections.abc import Container, Mapping
from pathlib import Path
from typing import Any, Protocol, TypedDict

from torch import nn

from diswot.errors import OptionError
from diswot.progress import Progress, silent
from diswot.references import NO_CODE
from diswot.tasks._demonstration import Demonstration
from diswot.tasks._examples import Changes, Examples
from diswot.tasks._metric import Metric
from diswot.tasks._packaging import Packaging
from diswot.tasks._prediction import Prediction
from diswot.teachers import Teacher, TeacherSources
from search_spaces import Signature


class Dataset(Examples, Protocol):
    """Examples with their task and metrics."""

    @property
    def task(self) -> "Task":
        """The task of the dataset."""

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """Metrics of networks; the first one selects epochs and students."""

    def for_teacher(self, teacher: str) -> "Dataset":
        """Return the dataset on which a teacher without weights is trained, often this one.

        Args:
            teacher: name of the teacher, one of the task's `teachers`.
        """


class NoOptions(TypedDict):
    """The options of a task without its own options."""


class Task(ABC):
    """Base class of tasks, such as image classification.

    A task is one package with data, batches, augmentation, metrics, teachers and the task's part
    of exports. All other packages access these only through the task.

    Attributes:
        name: name in options and manifests.
        summary: description in one line.
        noun: what one example is called in texts, such as `image`.
        options: a `TypedDict` of `diswot.options.Option` with the options of the task's data.
        reads: what losses and scorers can read from its networks and data, by the names used in
            their cards.
        datasets: names of built-in datasets.
        named_data: contains the texts that name data, but no Python code.
        data: default dataset.
        teacher: default teacher.
        space: default search space.
        demonstration: what a run does that names neither teacher, space nor data; `None` for the
            default space.
        losses: losses with which the winner of a run is trained. The first does not use the
            teacher; the second is also used for baselines and shortlists.
        teachers: names of the teachers that a student is distilled from together; losses for a
            single teacher use the first.
        outputs: what the outputs of a network are called in messages.
        teacher_views: supported values of the option `teacher_view`, in addition to `auto`.
        streams: whether examples can be read by worker processes during training.
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
    demonstration: Demonstration | None = None
    losses: tuple[str, ...]
    teachers: tuple[str, ...] = ("teacher",)
    outputs: str = "outputs"
    teacher_views: tuple[str, ...] = ()
    streams: bool = False

    @abstractmethod
    def check(self, data: Any, **options: Any) -> None:
        """Check data and options before anything is read.

        Args:
            data: a name, a folder, `package.module:callable`, or a dataset.
            **options: options of the task, such as `image_size`.

        Raises:
            DiswotError: no dataset has this name, or options do not fit.
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
        """Load a dataset.

        Args:
            data: a name, a folder, `package.module:callable`, or a dataset.
            root: the data root; by default the variable `DISWOT_DATA`, or the user's cache.
            progress: receives messages, for example on inferred settings.
            **options: options of the task, such as `image_size`.

        Raises:
            DiswotError: the dataset is missing, damaged or does not fit the task.
        """

    def prepared(self, dataset: Dataset, options: Mapping[str, Any]) -> Dataset:  # noqa: ARG002
        """Return the dataset with training options applied to it, such as `flips`.

        Args:
            dataset: the dataset.
            options: options of a training.
        """
        return dataset

    def recipe(self, dataset: Dataset) -> Mapping[str, Any]:  # noqa: ARG002
        """Return the task's defaults of recipe settings for a dataset, by name.

        Args:
            dataset: the dataset.
        """
        return {}

    def check_changes(self, changes: Changes) -> None:  # noqa: B027
        """Make sure that the task supports a recipe's augmentation and mixing.

        Args:
            changes: augmentation and mixing, for example a recipe.

        Raises:
            OptionError: a setting does not apply to such data.
        """

    def recorded(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return options of the task in the form for manifests, which needs no other files."""
        return dict(options)

    def upgraded(self, record: Mapping[str, Any]) -> Mapping[str, Any]:
        """Convert the signature and measures of an earlier version's record to today's form."""
        return record

    @property
    def teacher_sources(self) -> TeacherSources:
        """Valid values of `--teacher`; by default only networks and callables of users."""
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
        """Check a teacher before data are read.

        Args:
            teacher: a name, a reference such as `hf:FOLDER`, a network or a `Teacher`.
            weights: checkpoint to load.
            teacher_epochs: epochs of its training, if it has no weights.
            teacher_state: weights that scores use: `random` or `trained`.
            **options: options of the task, such as `teacher_classes`.

        Raises:
            DiswotError: the teacher does not exist, cannot be downloaded, or an option does not
                apply to it.
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
        """Find a teacher for a dataset.

        Args:
            teacher: a name of `teacher_sources`; `package.module:callable`, which is called with
                `signature`, `data` and other arguments of the task if it has parameters for them;
                or a network. The last two must already be trained. A `Teacher` is returned
                unchanged.
            dataset: the dataset.
            weights: checkpoint to load.
            **options: options of the task, such as `teacher_classes`.

        Raises:
            DiswotError: the teacher does not exist, cannot be downloaded, or does not fit the
                data.
        """
        self._refuse(options)
        offered = {"signature": dataset.signature, "data": dataset}
        return self.teacher_sources.find(teacher, offered, weights=weights)

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
        """Check a trained teacher before anything is scored or trained.

        For example, whether it would be better with another order of classes or another
        normalization of inputs.

        Args:
            teacher: the teacher.
            network: its network with trained weights.
            dataset: the dataset.
            device: torch device.
            force: whether problems are only reported.
            progress: receives messages and warnings.

        Returns:
            Advice in case it is near chance; `None` without specific advice.

        Raises:
            TeacherError: there is a problem, and `force` is false.
        """
        return None

    def _refuse(self, options: Mapping[str, Any]) -> None:
        """Raise an error for options that only other tasks have."""
        given = [name for name, value in options.items() if value is not None]
        if given:
            option = f"--{given[0].replace('_', '-')}"
            raise OptionError(f"{option} does not apply to the task {self.name}: leave it out")

    def metrics(self, signature: Signature) -> tuple[Metric, ...]:  # noqa: ARG002
        """Return the metrics of the task's own datasets with a signature, the selecting one first.

        They are known without the data, for example for a run that has no result yet. By
        default none.

        Args:
            signature: shapes of the networks' inputs and outputs, with the facts of the data.
        """
        return ()

    @property
    def teacher_loss(self) -> str:
        """The loss with which a teacher without weights is trained; by default the first one."""
        return self.losses[0]

    def with_teacher(self, dataset: Dataset, teacher: nn.Module) -> Dataset:  # noqa: ARG002
        """Return a dataset with what its targets need from a trained teacher, such as embeddings.

        By default, it is unchanged. Raises `TeacherError` if the teacher does not have it.
        """
        return dataset

    def packaging(self, signature: Signature, dataset: Dataset | None = None) -> Packaging:  # noqa: ARG002
        """Return the task's part of an exported folder: configuration, card, `predict.py`.

        By default, `predict.py` accepts arrays in the form of the network's inputs.

        Args:
            signature: shapes of the student's inputs and outputs.
            dataset: the dataset of the student; `None` if it is not known.
        """
        return Packaging(signature)

    def prediction(self, folder: Path, config: Mapping[str, Any], *, top: int = 1) -> Prediction:
        """Return the conversion of users' files to inputs, and of outputs to predictions.

        By default, examples are arrays in `.npy` files, and predictions the output's numbers.

        Args:
            folder: folder of the exported student.
            config: content of its `config.json`.
            top: number of predictions per example, for example the top 5 classes.
        """
        return Prediction(folder, config, top=top)
