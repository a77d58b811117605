"""What students are compared by: teacher, space, data and scorer, resolved from names."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Unpack

from torch import nn

from diswot.devices import find_device
from diswot.options import DEFAULT_SCORER, ComparisonOptions, filled, takes_options
from diswot.progress import Progress, news, silent
from diswot.runs.folder import versions
from diswot.scorers import Formula, find_scorer
from diswot.search._evaluation import Evaluator
from diswot.search._repeats import prepare_repeats
from diswot.search._spaces import check_space_name, find_space
from diswot.seeding import generator_for
from diswot.tasks import find_task
from diswot.tasks.images import ImageData, check_data, load_data
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


@takes_options
def check_comparison(
    teacher: str | nn.Module | Teacher,
    space: str | SearchSpace,
    **options: Unpack[ComparisonOptions],
) -> None:
    """Raise what can be said of a comparison before data are read.

    Raises:
        DiswotError: a name does not exist, or options contradict each other.
    """
    find_scorer(options.get("scorer", DEFAULT_SCORER))
    find_device(options.get("device"))
    check_space_name(space)
    check_data(options.get("data"), image_size=options.get("image_size"))
    find_task().check_teacher(
        teacher,
        weights=options.get("teacher_weights"),
        teacher_classes=options.get("teacher_classes"),
        teacher_state=options.get("teacher_state"),
    )


@takes_options
def resolve_comparison(
    teacher: str | nn.Module | Teacher,
    space: str | SearchSpace,
    *,
    progress: Progress = silent,
    **options: Unpack[ComparisonOptions],
) -> Comparison:
    """Resolve names, check that all fits together, and show the batches to the teacher.

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
    images = load_data(
        chosen["data"],
        root=chosen["data_root"],
        image_size=chosen["image_size"],
        progress=progress,
    )
    found_space = find_space(space, in_channels=images.shape[0])
    weights = chosen["teacher_weights"]
    own = {"teacher_classes": chosen["teacher_classes"]}
    found_teacher = images.task.find_teacher(teacher, images, weights=weights, **own)
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
        "teacher": found_teacher.name,
        "teacher_state": state,
        "teacher_weights": weights and os.path.abspath(weights),  # noqa: PTH100
        **images.task.recorded(own),
        "space": space if isinstance(space, str) else type(space).__name__,
        "data": images.name,
        "data_source": None if images.source is None else asdict(images.source),
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
