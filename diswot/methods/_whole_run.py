"""The base class of methods whose runs have their own stages and results."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from diswot.methods._run_method import RunMethod
from diswot.plots import Plot
from diswot.progress import Progress, silent
from diswot.search import Budget
from diswot.tabular import Tabular
from diswot.tasks import Dataset


@dataclass(frozen=True)
class Assignment:
    """Everything that a run of such a method is given.

    Attributes:
        folder: the run folder, which is locked.
        data: the loaded data.
        teacher: a name, a network or a `Teacher`; `None` if none was given.
        space: a name, `package.module:Class`, or a space.
        budget: upper limits on what a student may cost.
        options: options of `run` by name; without those of the method, data, teacher and space.
        own: options of the method, including defaults.
        progress: receives every step.
    """

    folder: Path
    data: Dataset
    teacher: Any
    space: Any
    budget: Budget
    options: Mapping[str, Any]
    own: Mapping[str, Any]
    progress: Progress = silent


class WholeReport(Tabular):
    """The result of a run of such a method; its rows are the table that commands print.

    Attributes:
        folder: the run folder.
        next_steps: sentences on what to do next.
    """

    folder: Path
    next_steps: Sequence[str] = ()

    @property
    @abstractmethod
    def title(self) -> str:
        """Heading of the table."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Return the content of `result.json`."""

    def to_cells(self) -> list[dict[str, str]]:
        """Return the rows of the table with values as text, for commands and pages."""
        return [{name: _cell(value) for name, value in row.items()} for row in self.to_records()]


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.3f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


@dataclass(frozen=True)
class Section:
    """A section of a report page.

    Attributes:
        name: its anchor.
        title: its heading.
        sentences: paragraphs.
        tables: caption → rows, each as cells by column.
        plots: plots, below the tables.
    """

    name: str
    title: str
    sentences: Sequence[str] = ()
    tables: Mapping[str, Sequence[Mapping[str, str]]] = field(default_factory=dict)
    plots: Sequence[Plot] = ()


class WholeRun(RunMethod):
    """Base class of methods that are not one search and one student."""

    @abstractmethod
    def conduct(self, assignment: Assignment) -> WholeReport:
        """Start or resume a run: do what is not done yet in the folder, and return the report.

        Args:
            assignment: data, space, options and folder of the run.
        """

    @abstractmethod
    def sections(self, folder: Path) -> Sequence[Section]:
        """Return the sections of the report page of a run.

        Args:
            folder: the run folder.

        Raises:
            RunFolderError: a file of the run is damaged.
        """
