"""The verdict of a run: which student to use, and why."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diswot.errors import RunFolderError
from diswot.runs import RESULT
from diswot.runs.folder import read_json
from diswot.tasks import Difference

WINNER = "winner"
_TEXTS = ("take", "architecture", "loss", "reason", "exported")


@dataclass(frozen=True)
class Alternative:
    """A student that was not selected.

    Attributes:
        label: its role in the run.
        architecture: name of its architecture.
        params: number of parameters.
        val: its metric on the validation split minus that of the selected student.
        test: its metric on the test split minus that of the selected student; the test split
            is not used for the selection.
    """

    label: str
    architecture: str
    params: int
    val: Difference
    test: Difference

    def to_json(self) -> dict[str, Any]:
        """Return the alternative as JSON values."""
        return vars(self) | {"val": self.val.to_json(), "test": self.test.to_json()}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Alternative":
        """Make an alternative from the values of `to_json`.

        Raises:
            KeyError: a value is missing.
            TypeError: a value has the wrong type.
            ValueError: a number is invalid or not finite.
        """
        return cls(
            str(values["label"]),
            str(values["architecture"]),
            int(values["params"]),
            Difference.from_json(values["val"]),
            Difference.from_json(values["test"]),
        )


@dataclass(frozen=True)
class Verdict:
    """Which student to use, and why.

    Attributes:
        take: role of the selected student: `winner`, or the label of a baseline.
        architecture: name of its architecture.
        loss: loss with which it was trained.
        reason: why it was selected, in sentences.
        notes: further sentences: its test measure, failed trainings, the teacher, seeds.
        alternatives: the other students, with their differences to the selected one.
        exported: which student was exported, in a sentence.
    """

    take: str
    architecture: str
    loss: str
    reason: str
    notes: tuple[str, ...]
    alternatives: tuple[Alternative, ...] = ()
    exported: str = "The student that the verdict takes is exported."

    @property
    def sentences(self) -> tuple[str, ...]:
        """The verdict in sentences, the most important first."""
        return (
            f"Take {called(self.take, self.architecture)}, trained with {self.loss}.",
            self.reason,
            *self.notes,
            self.exported,
        )

    def to_json(self) -> dict[str, Any]:
        """Return the verdict as JSON values."""
        return vars(self) | {
            "notes": list(self.notes),
            "alternatives": [alternative.to_json() for alternative in self.alternatives],
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Verdict":
        """Make a verdict from the values of `to_json`.

        Raises:
            KeyError: a value is missing.
            TypeError: a value has the wrong type.
            ValueError: a number is invalid or not finite.
        """
        texts = {name: values[name] for name in _TEXTS}
        notes = tuple(values["notes"])
        if not all(isinstance(text, str) for text in (*texts.values(), *notes)):
            raise TypeError("expected texts")
        others = tuple(Alternative.from_json(value) for value in values["alternatives"])
        return cls(**texts, notes=notes, alternatives=others)


def read_verdict(folder: Path) -> Verdict | None:
    """Read the verdict of a run; `None` for a stand-alone search or a run of an older version.

    Raises:
        RunFolderError: `result.json` is missing or damaged.
    """
    path = folder / RESULT
    result = read_json(path).get("verdict")
    try:
        return None if result is None else Verdict.from_json(result)
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise RunFolderError(
            f"{path} is damaged (verdict: {error!r}): restore it from a copy"
        ) from error


def called(label: str, name: str) -> str:
    """Return the description of a student in a sentence.

    Args:
        label: role of the student in the run.
        name: name of its architecture.
    """
    return f"the winner ({name})" if label == WINNER else f"the {label} student ({name})"
