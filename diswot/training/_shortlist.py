"""Successive halving: select the best of a shortlist by increasingly long trainings."""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import nn

from diswot.errors import OptionError
from diswot.progress import Progress, silent
from diswot.runs import working_in
from diswot.training._distillation import Distillation
from diswot.training._saved_students import ROUNDS
from diswot.training._training_result import Training


@dataclass(frozen=True)
class Rung:
    """One round of successive halving.

    Attributes:
        epochs: number of epochs for which every student was trained.
        trainings: results by name, in the order of the shortlist.
    """

    epochs: int
    trainings: Mapping[str, Training]

    def survivors(self, count: int) -> list[str]:
        """Return the `count` names with the best measure on the validation split.

        They are in the order of the shortlist; ties are won by the earlier student.
        """
        best = sorted(self.trainings, key=lambda name: -self.trainings[name].val.merit)[:count]
        return [name for name in self.trainings if name in best]


@dataclass(frozen=True)
class Halving:
    """Result of successive halving.

    Attributes:
        rungs: the rounds, shortest first; the last has only the best student.
        student: network of the best student, trained in the last round.
    """

    rungs: tuple[Rung, ...]
    student: nn.Module

    @property
    def best(self) -> str:
        """Name of the best student."""
        return next(iter(self.rungs[-1].trainings))

    @property
    def first(self) -> str:
        """Name of the first student of the shortlist."""
        return next(iter(self.rungs[0].trainings))

    @property
    def training(self) -> Training:
        """Result of the best student's last training."""
        return self.rungs[-1].trainings[self.best]

    @property
    def epochs(self) -> int:
        """Total number of epochs of all trainings."""
        return sum(rung.epochs * len(rung.trainings) for rung in self.rungs)

    @property
    def gain(self) -> float:
        """Difference between the best and the first student on the validation split.

        It is measured in the last round with both; 0 if they are the same. Since the best was
        selected by this measure, the difference is optimistically biased.
        """
        last = next(rung for rung in reversed(self.rungs) if self.first in rung.trainings)
        return last.trainings[self.best].val.merit - last.trainings[self.first].val.merit

    def to_json(self) -> dict[str, Any]:
        """Return the measures of all rounds, as JSON values."""
        return {
            "first": self.first,
            "best": self.best,
            "gain": self.gain,
            "epochs": self.epochs,
            "rounds": [
                {
                    "epochs": rung.epochs,
                    "val": {
                        name: training.val.to_json() for name, training in rung.trainings.items()
                    },
                }
                for rung in self.rungs
            ],
        }


def halve(
    students: Mapping[str, Callable[[], nn.Module]],
    distillation: Distillation,
    *,
    loss: str,
    folder: Path | None = None,
    progress: Progress = silent,
    replace_unfinished: bool = False,
) -> Halving:
    """Train a shortlist by successive halving.

    Every round trains the remaining students from their initialization, with the complete
    schedule and twice the epochs of the round before, and keeps the better half by the measure
    on the validation split. The last round has one student and the epochs of the recipe. Each
    round costs about as much as one full training.

    Source: Jamieson and Talwalkar, "Non-stochastic Best Arm Identification and
    Hyperparameter Optimization", AISTATS 2016, algorithm 1. Deviation: students are trained
    again in every round, because a learning rate schedule depends on its length.

    Args:
        students: functions that build each student, by name, the most promising first.
        distillation: teacher, data and recipe.
        loss: an expression or preset, see [`distill`][diswot.training.distill].
        folder: where the best student's last training is written, and earlier ones in
            `shortlist/ROUND-PLACE`; a later call reuses finished trainings.
        progress: receives every step.
        replace_unfinished: whether unfinished trainings with other settings in the folder are
            removed; otherwise they raise an error.

    Raises:
        OptionError: the shortlist is empty.
        RunFolderError: another process uses the folder.
        RunError: a loss is not finite.
    """
    if not students:
        raise OptionError("Expected a shortlist of at least one student, but got none")
    with nullcontext() if folder is None else working_in(folder):
        left, rungs = list(students), list[Rung]()
        indices = {name: place for place, name in enumerate(students, start=1)}
        rounds = _rounds(len(students), distillation.recipe.epochs)
        for number, (count, epochs) in enumerate(rounds, start=1):
            # Keep the better half of the round before.
            if rungs:
                left = rungs[-1].survivors(count)
            # Train all that are left from their initialization, with the whole schedule.
            shorter = replace(distillation, recipe=replace(distillation.recipe, epochs=epochs))
            trainings = {}
            for name in left:
                student = students[name]()
                stage = f"{loss}, round {number}, {name}"
                place = folder
                if folder is not None and count > 1:
                    place = folder / ROUNDS / f"{number}-{indices[name]}"
                trainings[name] = shorter.train_once(
                    student,
                    loss=loss,
                    folder=place,
                    progress=progress,
                    stage=stage,
                    replace_unfinished=replace_unfinished,
                )
            rungs.append(Rung(epochs, trainings))
        return Halving(tuple(rungs), student)


def _rounds(count: int, epochs: int) -> Iterator[tuple[int, int]]:
    """Yield (number of students, epochs) for each round; the last has one student.

    Examples:
        >>> list(_rounds(5, 20))
        [(5, 2), (3, 5), (2, 10), (1, 20)]
    """
    rounds = math.ceil(math.log2(count)) + 1
    for number in range(rounds):
        yield math.ceil(count / 2**number), max(1, epochs // 2 ** (rounds - 1 - number))


def total_epochs(count: int, epochs: int) -> int:
    """Return the total number of epochs of successive halving.

    Args:
        count: number of students in the shortlist.
        epochs: epochs of a full training.

    Examples:
        >>> total_epochs(4, 20)
        60
    """
    return sum(left * item for left, item in _rounds(count, epochs))
