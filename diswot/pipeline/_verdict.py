"""Which student of a run to take, and why: what `result.json` keeps of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diswot.errors import RunFolderError
from diswot.runs.folder import read_json
from diswot.tasks import Difference

WINNER = "winner"
_TEXTS = ("take", "architecture", "loss", "reason", "exported")


@dataclass(frozen=True)
class Alternative:
    """A student that was not taken.

    Attributes:
        label: what it is in the run.
        architecture: its name.
        params: parameters.
        val: its metric on the validation split minus that of the student taken.
        test: the same on the test split, on which nothing was selected.
    """

    label: str
    architecture: str
    params: int
    val: Difference
    test: Difference

    def to_json(self) -> dict[str, Any]:
        """Return the alternative as plain values."""
        return vars(self) | {"val": self.val.to_json(), "test": self.test.to_json()}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Alternative":
        """Read back what `to_json` returned.

        Raises:
            KeyError: something is missing.
            TypeError: something has another type.
            ValueError: a number is none, or not finite.
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
    """Which student to take.

    Attributes:
        take: what it is in the run: `winner`, or the baseline that is taken instead.
        architecture: its name.
        loss: what it was trained with.
        reason: why it is taken.
        notes: what else to know: what the test split says of it, of what could not be
            trained, of the teacher, of seeds.
        alternatives: the other students, and how far each is from the one taken.
        exported: which student was exported, and why.
    """

    take: str
    architecture: str
    loss: str
    reason: str
    notes: tuple[str, ...]
    alternatives: tuple[Alternative, ...] = ()
    exported: str = "Exported is the student that this verdict takes."

    @property
    def sentences(self) -> tuple[str, ...]:
        """The verdict in words, the most important first."""
        return (
            f"Take {called(self.take, self.architecture)}, trained with {self.loss}.",
            self.reason,
            *self.notes,
            self.exported,
        )

    def to_json(self) -> dict[str, Any]:
        """Return the verdict as plain values."""
        return vars(self) | {
            "notes": list(self.notes),
            "alternatives": [each.to_json() for each in self.alternatives],
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Verdict":
        """Read back what `to_json` returned.

        Raises:
            KeyError: something is missing.
            TypeError: something has another type.
            ValueError: a number is none, or not finite.
        """
        texts = {name: values[name] for name in _TEXTS}
        notes = tuple(values["notes"])
        if not all(isinstance(text, str) for text in (*texts.values(), *notes)):
            raise TypeError("expected texts")
        others = tuple(Alternative.from_json(each) for each in values["alternatives"])
        return cls(**texts, notes=notes, alternatives=others)


def read_verdict(folder: Path) -> Verdict | None:
    """Return the verdict in a run folder; `None` after a search alone, or of an older run.

    Raises:
        RunFolderError: it is damaged.
    """
    path = folder / "result.json"
    found = read_json(path).get("verdict")
    try:
        return None if found is None else Verdict.from_json(found)
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise RunFolderError(
            f"{path} is damaged (verdict: {error!r}): restore it from a copy"
        ) from error


def called(label: str, name: str) -> str:
    """Return what a student is called in a sentence."""
    return f"the winner ({name})" if label == WINNER else f"the {label} student ({name})"
