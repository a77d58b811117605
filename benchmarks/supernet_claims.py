"""The claims of AutoDistil's paper, and supernets compared with scores without training.

`python -m benchmarks.supernet_claims --work runs/supernets` writes `results/supernet-claims.csv`
and `supernet-students.csv`; interrupted, what was trained is kept in --work.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any, cast

import click
import numpy as np

from benchmarks.results_folder import keep
from benchmarks.supernet_rows import ClaimRow, StudentRow
from diswot.bench.paired import paired_p
from diswot.bench.rank_statistics import Vector, kendall, spearman
from diswot.bench.trainings import Trainings
from diswot.cli import displayed_progress
from diswot.methods import Workshop
from diswot.methods.supernet import HeldOutLoss, Relations, Sliced, train_supernets
from diswot.networks.meta import build_on_meta
from diswot.progress import Progress, silent
from diswot.search import score
from diswot.seeding import seed_for
from diswot.students import Fresh, StudentSource
from diswot.tasks import values_of
from diswot.tasks.text import load_texts
from diswot.training import Distillation, TrainedTeacher, prepare_distillation
from search_spaces import Architecture, TextEncoderSpace, UnionSpace, partition

SPACE = UnionSpace(
    {
        "tiny": TextEncoderSpace(layers=(2, 3), hidden=(16, 24), heads=(4, 6), ratios=(2, 3)),
        "small": TextEncoderSpace(layers=(3, 4), hidden=(24, 32), heads=(4, 6), ratios=(2.5, 4)),
        "base": TextEncoderSpace(layers=(4, 5), hidden=(40, 48), heads=(6, 8), ratios=(2.5, 4)),
    }
)
"""Sub-spaces of 16 encoders each, in the order of sizes that the paper's three have."""

WEIGHTS = ("relations-3", "relations-1", "masked-lm-3", "random")
"""What students start from: supernets by loss and number, or random weights."""


@dataclass(frozen=True)
class ClaimSettings:
    """What is compared.

    Attributes:
        seeds: of supernets and students; the teacher is one.
        teacher_epochs: of its training on the labels.
        supernet_epochs: in all; each of three supernets has a third of them.
        epochs: of every student's training on the labels.
        length: tokens of a text.
        tuned: students of each sub-space that are trained on the labels.
    """

    seeds: int = 3
    teacher_epochs: int = 5
    supernet_epochs: int = 6
    epochs: int = 2
    length: int = 16
    tuned: int = 3


@cache
def _distillation(settings: ClaimSettings, root: str) -> Distillation:
    return prepare_distillation(
        "encoder-medium",
        data=load_texts("python-docs", root=root, length=settings.length),
        data_root=root,
        teacher_epochs=settings.teacher_epochs,
        epochs=settings.epochs,
        device="cpu",
    )


@cache
def _source(settings: ClaimSettings, root: str, weights: str, seed: int) -> StudentSource:
    """Return students by what they start from; supernets are trained, or read where they lie."""
    known = _distillation(settings, root)
    if weights == "random":
        return Fresh(SPACE, known.data.signature)
    loss, _, count = weights.rpartition("-")
    options = {
        "supernets": int(count),
        "supernet_epochs": settings.supernet_epochs // int(count),
        "supernet_rate": 1e-3,
        "supernet_loss": loss,
        "random_students": 2,
    }
    teacher = cast(TrainedTeacher, known.teacher)  # one is always given
    path, source = Path(root), replace(teacher.source, weights=lambda: teacher.network)
    return train_supernets(
        Workshop(lambda: source, SPACE, known.data, path, "cpu", seed, options, silent)
    )


def _one(settings: ClaimSettings, root: str, task: tuple[str, int, str]) -> dict[str, Any]:
    """Return the record of supernets (no student named), or of a student that is trained."""
    weights, seed, name = task
    started = time.process_time()
    source = _source(settings, root, weights, seed)
    record: dict[str, Any] = {"weights": weights, "seed": seed, "student": name}
    if not name:
        record["seconds"] = round(time.process_time() - started, 1)
        return record | {"losses": _losses(settings, root, source)}
    known = _distillation(settings, root)
    student = source.student(SPACE.from_string(name), seed=seed_for(seed, "student", name))
    recipe = replace(known.recipe, seed=seed)
    training = replace(known, recipe=recipe).train(student, loss="alone")
    val = values_of(known.data.metrics[0], student, known.data, "val")
    test = round(100 * training.test.value, 2)
    return record | {"val": round(100 * float(val.mean()), 2), "test": test}


def _losses(settings: ClaimSettings, root: str, source: StudentSource) -> dict[str, float]:
    """Return the held-out relation loss of every student, in its supernet."""
    known = _distillation(settings, root)
    if not isinstance(source, Sliced) or known.teacher is None:
        return {}
    objective, result = Relations(known.teacher.network.eval()), {}
    for supernet in source.supernets:
        for arch in supernet.archs:
            student = build_on_meta(partial(SPACE.network, arch, known.data.signature))
            measured = HeldOutLoss(objective, [student]).measure(
                supernet.network, known.data, "val"
            )
            result[SPACE.to_string(arch)] = measured.value
    return result


def _tuned(settings: ClaimSettings, root: str) -> list[Architecture]:
    """Return some students of each sub-space, evenly by size."""
    signature = _distillation(settings, root).data.signature
    results: list[Architecture] = []
    for part in SPACE.parts.values():
        archs = partition(part, 1, signature)[0]
        indices = np.linspace(0, len(archs) - 1, settings.tuned).round().astype(int)
        results += [archs[index] for index in indices]
    return results


def student_rows(
    settings: ClaimSettings, root: str, work: Path, progress: Progress
) -> tuple[list[StudentRow], dict[Any, Any]]:
    """Train supernets and students; return the students, and the records of everything."""
    names = [SPACE.to_string(arch) for arch in _tuned(settings, root)]
    tasks = []
    for seed in range(settings.seeds):
        tasks += [(weights, seed, "") for weights in WEIGHTS[:3]]
        for weights in ("relations-3", "masked-lm-3", "random"):
            tasks += [(weights, seed, name) for name in names]
    records = Trainings(asdict(settings), work, key=["weights", "seed", "student"]).run(
        tasks,
        partial(_one, settings, root),
        before=partial(_distillation, settings, root),
        workers=1,
        progress=progress,
    )
    fits = {item.name: item for item in _scored(settings, root, names)}
    rows = [
        StudentRow(
            seed,
            name,
            fits[name].params,
            {weights: records[weights, seed, ""]["losses"][name] for weights in WEIGHTS[:2]},
            {
                weights: records[weights, seed, name]["test"]
                for weights in ("relations-3", "masked-lm-3", "random")
            },
            fits[name].score,
        )
        for seed in range(settings.seeds)
        for name in names
    ]
    return rows, records


def _described() -> dict[str, Any]:
    fields = {name: part.fields for name, part in SPACE.parts.items()}
    return {
        name: {field: choice.options for field, choice in own.items()}
        for name, own in fields.items()
    }


def _scored(settings: ClaimSettings, root: str, names: Sequence[str]) -> Any:
    data = _distillation(settings, root).data
    return score(list(names), "encoder-medium", space=SPACE, data=data)


class Claims:
    """Compares, seed by seed.

    Args:
        settings: what was trained.
        rows: its students.
        records: of all trainings.
    """

    def __init__(self, settings: ClaimSettings, rows: Sequence[StudentRow], records: Any) -> None:
        self._seeds, self._records = range(settings.seeds), records
        self._by_seed = [[row for row in rows if row.seed == seed] for seed in self._seeds]

    def rows(self) -> list[ClaimRow]:
        """Return all comparisons."""
        tuned, agnostic = self._tuned("relations-3"), self._picked(_least_loss)
        return [
            _row("loss: three, one", self._loss("relations-3"), self._loss("relations-1")),
            _row("accuracy: relations, masked-LM", tuned, self._tuned("masked-lm-3")),
            _row("accuracy: relations, random", tuned, self._tuned("random")),
            _row("accuracy: agnostic, proxy", agnostic, self._picked(self._most_accurate)),
            _row("Kendall of -loss, accuracy", self._correlated(kendall)),
            _row("Spearman of -loss, accuracy", self._correlated(spearman)),
            _row("accuracy: agnostic, student_fit", agnostic, self._picked(_best_fit, "random")),
        ]

    def _loss(self, weights: str) -> Vector:
        """Return the mean held-out loss of all students."""
        results = [self._records[weights, seed, ""]["losses"] for seed in self._seeds]
        return np.array([np.mean([*own.values()]) for own in results])

    def _tuned(self, weights: str) -> Vector:
        """Return the mean accuracy of the students that were trained on the labels."""
        return np.array(
            [np.mean([row.accuracies[weights] for row in own]) for own in self._by_seed]
        )

    def _picked(
        self, pick: Callable[[Sequence[StudentRow]], StudentRow], weights: str = "relations-3"
    ) -> Vector:
        return np.array([pick(own).accuracies[weights] for own in self._by_seed])

    def _most_accurate(self, own: Sequence[StudentRow]) -> StudentRow:
        """Return the student of the highest validation accuracy."""
        return max(own, key=lambda row: self._records["relations-3", row.seed, row.student]["val"])

    def _correlated(self, statistic: Callable[[Vector, Vector], float]) -> Vector:
        pairs = [
            [(-row.losses["relations-3"], row.accuracies["relations-3"]) for row in own]
            for own in self._by_seed
        ]
        return np.array([statistic(*np.array(own).T) for own in pairs])


def _row(claim: str, one: Vector, other: Vector | None = None) -> ClaimRow:
    each = one if other is None else one - other
    mean = None if other is None else float(other.mean())
    results = tuple(map(float, each))
    return ClaimRow(claim, float(one.mean()), mean, float(each.mean()), results, paired_p(each))


def _least_loss(own: Sequence[StudentRow]) -> StudentRow:
    return min(own, key=lambda row: row.losses["relations-3"])


def _best_fit(own: Sequence[StudentRow]) -> StudentRow:
    return max(own, key=lambda row: row.student_fit)


@click.command()
@click.option("--work", type=click.Path(path_type=Path), default=Path("runs/supernets"))
def main(work: Path) -> None:
    """Make the tables; interrupted, what was trained is kept in --work."""
    settings, started, root = ClaimSettings(), datetime.now(UTC), str(work / "data")
    Path(root).mkdir(parents=True, exist_ok=True)
    with displayed_progress() as progress:
        rows, records = student_rows(settings, root, work / "students", progress)
    seconds = {
        weights: [records[weights, seed, ""]["seconds"] for seed in range(settings.seeds)]
        for weights in WEIGHTS[:3]
    }
    provenance: dict[str, Any] = {
        "settings": asdict(settings),
        "space": _described(),
        "supernet_cpu_seconds": seconds,
    }
    started_scoring = time.process_time()
    _scored(settings, root, [row.student for row in rows if row.seed == 0])
    provenance["student_fit_cpu_seconds"] = round(time.process_time() - started_scoring, 1)
    keep("supernet-students", rows, provenance, started)
    keep("supernet-claims", Claims(settings, rows, records).rows(), provenance, started)


if __name__ == "__main__":
    main()
