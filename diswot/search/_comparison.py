"""What students are compared by: teacher, space, data and scorer, resolved from names."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Unpack, cast

from torch import nn

from diswot.devices import find_device
from diswot.options import DEFAULT_SCORER, ComparisonOptions, filled
from diswot.progress import Progress, news, silent
from diswot.runs.folder import versions
from diswot.scorers import Formula, find_scorer
from diswot.search._evaluation import Evaluator
from diswot.search._repeats import prepare_repeats
from diswot.search._spaces import check_space_name, find_space
from diswot.seeding import generator_for
from diswot.tasks import find_subject, takes_task_options
from diswot.tasks.images import ImageData
from diswot.teachers import Teacher
from search_spaces import Architecture, SearchSpace

DIGESTED = 5
"""Architectures by which a space is known again."""


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


@takes_task_options
def check_comparison(
    teacher: str | nn.Module | Teacher | None,
    space: str | SearchSpace | None,
    **options: Unpack[ComparisonOptions],
) -> None:
    """Raise what can be said of a comparison before data are read.

    Raises:
        DiswotError: a name does not exist, or options contradict each other.
    """
    find_scorer(options.get("scorer", DEFAULT_SCORER))
    find_device(options.get("device"))
    subject = find_subject(options, teacher=teacher, space=space)
    check_space_name(subject.space)
    subject.check()
    subject.task.check_teacher(
        subject.teacher,
        weights=options.get("teacher_weights"),
        teacher_classes=options.get("teacher_classes"),
        teacher_state=options.get("teacher_state"),
    )


@takes_task_options
def resolve_comparison(
    teacher: str | nn.Module | Teacher | None,
    space: str | SearchSpace | None,
    *,
    progress: Progress = silent,
    **options: Unpack[ComparisonOptions],
) -> Comparison:
    """Resolve names, check that all fits together, and show the batches to the teacher.

    Teacher and space are those of the task where none is given.

    Raises:
        DiswotError: something does not exist or does not fit.
    """
    check_comparison(teacher, space, **options)
    chosen = filled(ComparisonOptions, options)
    found_scorer = find_scorer(chosen["scorer"])
    formula = found_scorer.formula
    if chosen["combination"] is not None:
        formula = Formula(chosen["combination"], formula.parts)
    device = find_device(chosen["device"])
    subject = find_subject(options, teacher=teacher, space=space)
    images = cast(ImageData, subject.load(progress))
    found_space = find_space(subject.space, in_channels=images.shape[0])
    weights = chosen["teacher_weights"]
    own = {"teacher_classes": chosen["teacher_classes"]}
    found_teacher = subject.task.find_teacher(subject.teacher, images, weights=weights, **own)
    made_for = "random" if found_teacher.weights is None else found_scorer.card.teacher_state
    state = chosen["teacher_state"] or made_for
    if state == "trained":
        for note in found_teacher.notes:
            progress(news("teacher", note, can_wait=True))
        if found_teacher.weights is not None:
            trained = found_teacher.weights()
            images.task.check_trained(
                found_teacher, trained, images, device=device, progress=progress
            )
    same = {"seed": chosen["seed"], "device": device, "threads": chosen["threads"]}
    drawn = {"repeats": chosen["repeats"], "batch_size": chosen["batch_size"]}
    prepared = prepare_repeats(
        images,
        found_teacher,
        state=state,
        watches=found_scorer.teacher_watches,
        **drawn,
        **same,
    )
    settings = {
        "task": subject.task.name,
        "teacher": found_teacher.name,
        "teacher_state": state,
        "teacher_weights": weights and os.path.abspath(weights),  # noqa: PTH100
        **subject.task.recorded(own),
        "space": subject.space if isinstance(subject.space, str) else type(subject.space).__name__,
        "data": images.name,
        "data_source": None if images.source is None else images.source.to_json(),
        "scorer": found_scorer.card.name,
        "combination": formula.how,
        **drawn,
        **same,
    }
    return Comparison(
        images,
        found_space,
        Evaluator(found_space, found_scorer, prepared, images.spec, **same),
        formula,
        chosen["seed"],
        found_teacher,
        settings,
    )
