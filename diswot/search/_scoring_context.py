"""The scoring context: teacher, space, data and scorer, resolved from names."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Unpack

from torch import nn

from diswot.devices import find_device
from diswot.options import (
    DEFAULT_SCORER,
    ScoringOptions,
    TeacherState,
    filled,
)
from diswot.progress import Progress, message, silent
from diswot.runs.folder import versions
from diswot.scorers import Formula, Scorer, find_scorer
from diswot.search._checks import check_reads
from diswot.search._evaluation import Evaluator
from diswot.search._repeats import prepare_repeats
from diswot.search._spaces import check_space_name, find_space
from diswot.seeding import generator_for
from diswot.students import StudentSource
from diswot.tasks import Dataset, SplitName, Subject, find_subject, takes_task_options
from diswot.teachers import Teacher
from search_spaces import Architecture, SearchSpace

DIGESTED = 5
"""Number of architectures in the fingerprint of a space."""

OF_TEACHER = ("teacher_classes",)
"""Options that are passed to the task's teachers."""


@dataclass(frozen=True)
class ScoringContext:
    """Everything that a score depends on, except the student.

    Attributes:
        data: the dataset.
        space: the search space.
        evaluator: scores architectures.
        formula: combines the scorer's terms.
        seed: base seed of batches and initializations.
        teacher: the teacher.
        settings: the settings as recorded in the manifest.
    """

    data: Dataset
    space: SearchSpace
    evaluator: Evaluator
    formula: Formula
    seed: int
    teacher: Teacher
    settings: Mapping[str, Any]

    def manifest(self) -> dict[str, Any]:
        """Return the manifest's content: settings, versions, and fingerprints (SHA-256)."""
        digest = self.evaluator.source.digest
        return {
            **({"students": {"sha256": digest}} if digest else {}),
            "settings": dict(self.settings),
            "data": {"sha256": self.data.digest, "signature": self.data.signature.to_json()},
            "teacher": {"sha256": self.teacher.digest()},
            "space": {"size": self.space.size, "sha256": self._space_digest()},
            "versions": versions(),
        }

    def _space_digest(self) -> str:
        """Return the SHA-256 of names and costs of a few architectures from a fixed seed."""
        rng = generator_for("digest")
        content = hashlib.sha256()
        for _ in range(DIGESTED):
            arch = self.space.sample(rng)
            content.update(f"{self.space.to_string(arch)} {self._size_of(arch)}".encode())
        return content.hexdigest()

    def _size_of(self, arch: Architecture) -> tuple[int, int] | None:
        try:
            costs = self.evaluator.costs(arch)
        except Exception:  # noqa: BLE001  (an architecture that cannot be built has no costs)
            return None
        return costs.params, costs.macs


@takes_task_options
def check_scoring(
    teacher: str | nn.Module | Teacher | None,
    space: str | SearchSpace | None,
    **options: Unpack[ScoringOptions],
) -> None:
    """Check the names and options of a scoring context before any data are read.

    Args:
        teacher: a name, `package.module:callable`, or a network; by default the task's.
        space: a name, `package.module:Class`, or a space; by default the task's.
        **options: see [`ScoringOptions`][diswot.search.ScoringOptions].

    Raises:
        DiswotError: a name does not exist, or options contradict each other.
    """
    scorer = find_scorer(options.get("scorer", DEFAULT_SCORER))
    find_device(options.get("device"))
    subject = find_subject(options, teacher=teacher, space=space)
    check_reads(scorer, subject.task)
    check_space_name(subject.space)
    subject.check()
    subject.task.check_teacher(
        subject.teacher,
        weights=options.get("teacher_weights"),
        teacher_state=options.get("teacher_state"),
        **_of_teacher(options),
    )


@takes_task_options
def resolve_scoring(
    teacher: str | nn.Module | Teacher | None,
    space: str | SearchSpace | None,
    *,
    source: StudentSource | None = None,
    progress: Progress = silent,
    **options: Unpack[ScoringOptions],
) -> ScoringContext:
    """Resolve names, check that all parts fit together, and run the teacher on the batches.

    Args:
        teacher: a name, `package.module:callable`, or a network; by default the task's.
        space: a name, `package.module:Class`, or a space; by default the task's.
        source: makes the networks of candidates; by default they are randomly initialized.
        progress: receives messages about data and teacher.
        **options: see [`ScoringOptions`][diswot.search.ScoringOptions].

    Raises:
        DiswotError: a name does not exist, or teacher, space, data and scorer do not fit.
    """
    check_scoring(teacher, space, **options)
    chosen = filled(ScoringOptions, options)
    scorer, formula = _scorer_of(chosen)
    device = find_device(chosen["device"])
    subject = find_subject(options, teacher=teacher, space=space)
    data = subject.load(progress)
    found_space = find_space(subject.space, data.signature)
    result = _teacher_of(subject, data, chosen)
    state = _state_of(result, scorer, chosen["teacher_state"])
    if state == "trained":
        _check_trained(result, data, device, progress)
    same = {"seed": chosen["seed"], "device": device, "threads": chosen["threads"]}
    split: SplitName = "train" if source is None else source.scored_on
    drawn = _drawn(chosen, scorer, data.size(split))
    repeats = prepare_repeats(
        data,
        result,
        state=state,
        watches=scorer.teacher_watches,
        split=split,
        needed=scorer.card.needs_teacher,
        **drawn,
        **same,
    )
    settings = {
        **_recorded(subject, result, state, chosen),
        "data": data.name,
        "data_source": None if data.source is None else data.source.to_json(),
        "scorer": scorer.card.name,
        "scorer_versions": dict(scorer.versions),
        "needs_teacher": scorer.card.needs_teacher,
        "combination": formula.how,
        **drawn,
        **same,
    }
    evaluator = Evaluator(found_space, scorer, repeats, data.signature, source=source, **same)
    return ScoringContext(data, found_space, evaluator, formula, chosen["seed"], result, settings)


def _scorer_of(chosen: Mapping[str, Any]) -> tuple[Scorer, Formula]:
    scorer = find_scorer(chosen["scorer"])
    how = chosen["combination"]
    return scorer, scorer.formula if how is None else Formula(how, scorer.formula.parts)


def _drawn(chosen: Mapping[str, Any], scorer: Scorer, size: int) -> dict[str, Any]:
    """Return repeats and batch size: as chosen, or else those recommended by the scorer's card.

    A recommended batch larger than the `size` of the split is reduced to the whole split.
    """
    card = scorer.card
    return {
        "repeats": chosen["repeats"] or card.repeats,
        "batch_size": chosen["batch_size"] or min(card.examples, size),
    }


def _of_teacher(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return those options of the task that its teachers read."""
    return {name: options.get(name) for name in OF_TEACHER}


def _teacher_of(subject: Subject, data: Dataset, chosen: Mapping[str, Any]) -> Teacher:
    own = _of_teacher(chosen)
    weights = chosen["teacher_weights"]
    return subject.task.find_teacher(subject.teacher, data, weights=weights, **own)


def _state_of(teacher: Teacher, scorer: Scorer, asked: TeacherState | None) -> TeacherState:
    if asked is not None:
        return asked
    return "random" if teacher.weights is None else scorer.card.teacher_state


def _check_trained(teacher: Teacher, data: Dataset, device: str, progress: Progress) -> None:
    for note in teacher.notes:
        progress(message("teacher", note, can_wait=True))
    if teacher.weights is not None:
        network = teacher.weights()
        data.task.check_trained(teacher, network, data, device=device, progress=progress)


def _recorded(
    subject: Subject, teacher: Teacher, state: TeacherState, chosen: Mapping[str, Any]
) -> dict[str, Any]:
    """Return task, teacher and space as they are recorded in the manifest."""
    weights, space = chosen["teacher_weights"], subject.space
    return {
        "task": subject.task.name,
        "teacher": teacher.name,
        "teacher_state": state,
        "teacher_weights": weights and os.path.abspath(weights),  # noqa: PTH100
        **subject.task.recorded(_of_teacher(chosen)),
        "space": space if isinstance(space, str) else type(space).__name__,
    }
