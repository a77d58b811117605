"""What students are compared by: teacher, space, data and scorer, resolved from names."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypedDict

from torch import nn

from diswot.data import ImageData, load_data
from diswot.devices import find_device
from diswot.errors import OptionError, UnknownNameError
from diswot.options import COMBINATIONS, TEACHER_STATES, Combination, TeacherState
from diswot.progress import Progress, news, silent
from diswot.run_folder import versions
from diswot.scorers import Formula, Scorer, Term, find_scorer
from diswot.search._evaluation import Evaluator
from diswot.search._repeats import prepare_repeats
from diswot.search._spaces import find_space
from diswot.seeding import generator_for
from diswot.teachers import Teacher, TeacherClasses, as_text, check_trained, find_teacher
from search_spaces import Architecture, SearchSpace

DIGESTED = 5
"""Architectures by which a space is known again."""


class ComparisonOptions(TypedDict, total=False):
    """Options of `search` and `score` alike.

    Attributes:
        data: a built-in name, a folder of images, `package.module:callable`, or a dataset; by
            default `digits`.
        image_size: height and width of the images of a folder; by default inferred.
        data_root: where built-in datasets lie.
        scorer: a name, an expression (names joined with `+`, `logrank(a,b)`), or a
            function (student, teacher) → number; by default `student_fit` in a search,
            and `diswot` in `score`.
        combination: how a scorer's terms become one score: `sum`, `rank`, `standard` or
            `logrank`; by default as the scorer says.
        repeats: initialisations and batches that each score is the mean of; 3.
        batch_size: images per batch; 64.
        teacher_state: whether the teacher is scored at `random` initialisation or `trained`;
            by default as the scorer is made for, and at random where it has no weights.
        teacher_weights: a checkpoint to load into the teacher.
        teacher_classes: the order of the teacher's outputs, where its own names do not tell:
            `data`, `text` or `natural` (the data's classes as they are, sorted as text, or
            by their numbers), a file with a name on each line, or the names.
        seed: the same seed gives the same result; 0.
        device: where to compute; by default a GPU where there is one.
        threads: of torch, with which each score is computed: with another number it differs
            in its last digits; 1.
    """

    data: Any
    image_size: int | None
    data_root: str | Path | None
    scorer: str | Scorer | Term
    combination: Combination | None
    repeats: int
    batch_size: int
    teacher_state: TeacherState | None
    teacher_weights: str | Path | None
    teacher_classes: TeacherClasses | None
    seed: int
    device: str | None
    threads: int


@dataclass(frozen=True)
class Comparison:
    """Everything that a score depends on, but the student."""

    data: ImageData
    space: SearchSpace
    evaluator: Evaluator
    formula: Formula
    seed: int
    teacher: Teacher
    settings: Mapping[str, Any]

    def manifest(self) -> dict[str, Any]:
        """Return settings, versions, and the hashes of data and teacher."""
        return {
            "settings": dict(self.settings),
            "data": {"sha256": self.data.digest, "images": asdict(self.data.spec)},
            "teacher": {"sha256": self.teacher.digest()},
            "space": {"size": self.space.size, "sha256": self._space_digest()},
            "versions": versions(),
        }

    def _space_digest(self) -> str:
        """SHA-256 of the names and costs of a few architectures, always the same ones."""
        rng = generator_for("digest")
        content = hashlib.sha256()
        for _ in range(DIGESTED):
            arch = self.space.sample(rng)
            content.update(f"{self.space.to_string(arch)} {self._size_of(arch)}".encode())
        return content.hexdigest()

    def _size_of(self, arch: Architecture) -> tuple[int, int] | None:
        try:
            costs = self.evaluator.costs(arch)
        except Exception:  # noqa: BLE001  (one that cannot be built is like another)
            return None
        return costs.params, costs.macs


def resolve_comparison(
    teacher: str | nn.Module | Teacher,
    space: str | SearchSpace,
    *,
    data: Any = "digits",
    image_size: int | None = None,
    data_root: str | Path | None = None,
    scorer: str | Scorer | Term = "diswot",
    combination: Combination | None = None,
    repeats: int = 3,
    batch_size: int = 64,
    teacher_state: TeacherState | None = None,
    teacher_weights: str | Path | None = None,
    teacher_classes: TeacherClasses | None = None,
    seed: int = 0,
    device: str | None = None,
    threads: int = 1,
    progress: Progress = silent,
) -> Comparison:
    """Resolve names, check that all fits together, and show the batches to the teacher.

    Raises:
        DiswotError: something does not exist or does not fit.
    """
    at_least(1, repeats=repeats, threads=threads)
    at_least(2, batch_size=batch_size)
    at_least(0, seed=seed)
    if combination is not None:
        one_of(COMBINATIONS, combination=combination)
    if teacher_state is not None:
        one_of(TEACHER_STATES, teacher_state=teacher_state)
    found_scorer = find_scorer(scorer)
    formula = found_scorer.formula
    if combination is not None:
        formula = Formula(combination, formula.parts)
    device = find_device(device)
    images = load_data(data, root=data_root, image_size=image_size, progress=progress)
    found_space = find_space(space, in_channels=images.shape[0])
    found_teacher = find_teacher(
        teacher,
        images.spec,
        weights=teacher_weights,
        classes=images.classes,
        teacher_classes=teacher_classes,
    )
    made_for = "random" if found_teacher.weights is None else found_scorer.card.teacher_state
    state = teacher_state or made_for
    if state == "trained":
        for note in found_teacher.notes:
            progress(news("teacher", note))
        if found_teacher.weights is not None:
            trained = found_teacher.weights()
            check_trained(found_teacher, trained, images, device=device, progress=progress)
    prepared = prepare_repeats(
        images,
        found_teacher,
        state=state,
        repeats=repeats,
        batch_size=batch_size,
        seed=seed,
        device=device,
        threads=threads,
        watches=found_scorer.teacher_watches,
    )
    evaluator = Evaluator(
        found_space,
        found_scorer,
        prepared,
        images.spec,
        seed=seed,
        device=device,
        threads=threads,
    )
    settings = {
        "teacher": found_teacher.name,
        "teacher_state": state,
        "teacher_weights": teacher_weights and os.path.abspath(teacher_weights),  # noqa: PTH100
        "teacher_classes": as_text(teacher_classes),
        "space": space if isinstance(space, str) else type(space).__name__,
        "data": images.name,
        "data_source": None if images.source is None else asdict(images.source),
        "scorer": found_scorer.card.name,
        "combination": formula.how,
        "repeats": repeats,
        "batch_size": batch_size,
        "seed": seed,
        "device": device,
        "threads": threads,
    }
    return Comparison(images, found_space, evaluator, formula, seed, found_teacher, settings)


def at_least(least: int, **values: int) -> None:
    """Check numbers.

    Raises:
        OptionError: one of them is no whole number, or less than `least`.
    """
    for name, value in values.items():
        if not isinstance(value, int) or value < least:
            raise OptionError(
                f"Expected {name} to be a whole number of at least {least}, but got {value!r}"
            )


def one_of(known: tuple[str, ...], **values: str) -> None:
    """Check names.

    Raises:
        UnknownNameError: one of them is not known.
    """
    for name, value in values.items():
        if value not in known:
            raise UnknownNameError(name.replace("_", " "), value, known)
