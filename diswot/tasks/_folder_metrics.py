"""Metrics of predictions for files whose folders name their classes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from diswot.tasks._accuracy import accuracy
from diswot.tasks._class_metrics import ClassMetrics
from diswot.tasks._measure import Measure


@dataclass(frozen=True)
class FolderMetrics:
    """Metrics of predictions for files in class folders.

    Attributes:
        accuracy: accuracy with its 95 % Wilson interval.
        classes: metrics per class, balanced accuracy and macro F1.
        left: number of predictions without a known class, which are not counted.
    """

    accuracy: Measure
    classes: ClassMetrics
    left: int

    @property
    def measures(self) -> tuple[Measure, ...]:
        """Accuracy, balanced accuracy and macro F1."""
        return (self.accuracy, *self.classes.averages)

    def to_json(self) -> dict[str, Any]:
        """Return the measures and metrics per class as JSON values."""
        return {"accuracy": self.accuracy.to_json(), **self.classes.to_json(), "left": self.left}


def folder_metrics(
    answers: Sequence[Mapping[str, Any]],
    given: Sequence[str | Path],
    classes: Sequence[str] | None,
) -> FolderMetrics | None:
    """Compare predictions with the classes that the folders of the files name.

    The class of a file is the name of the innermost folder, between the file and the folder that
    was given, that is the name of a class.

    Args:
        answers: predictions with `example` and `label`, as `diswot.predict` returns them;
            those with `error` are left out.
        given: files and folders that were predicted.
        classes: names of the student's classes, in order; `None` if they are not known.

    Returns:
        The metrics; `None` if no file is in a class folder.

    Examples:
        >>> answers = [
        ...     {"example": "photos/cat/1.jpg", "label": "cat"},
        ...     {"example": "photos/dog/2.jpg", "label": "cat"},
        ... ]
        >>> found = folder_metrics(answers, ["photos"], ["cat", "dog"])
        >>> found.accuracy.brief, found.classes.rows[0].precision
        ('50.0 %', 0.5)
    """
    predicted = [item for item in answers if "error" not in item and "label" in item]
    number = {name: index for index, name in enumerate(classes or ())}
    folders = [Path(item) for item in given]
    pairs = [
        (number[known], number[item["label"]])
        for item in predicted
        if item["label"] in number
        and (known := _class_of(Path(item["example"]), folders, number)) is not None
    ]
    if not pairs:
        return None
    true, found = torch.tensor(pairs).unbind(1)
    by_class = ClassMetrics.of(true, found, classes=len(number), names=classes)
    correct = int(true.eq(found).sum())
    return FolderMetrics(accuracy(correct, len(pairs)), by_class, len(predicted) - len(pairs))


def _class_of(path: Path, folders: Sequence[Path], number: Mapping[str, int]) -> str | None:
    for folder in folders:
        if folder in path.parents:
            names = path.relative_to(folder).parts[:-1]
            return next((name for name in reversed(names) if name in number), None)
    return None
