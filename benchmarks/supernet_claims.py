"""The claims of AutoDistil's paper, tested on small sub-spaces.

`python -m benchmarks.supernet_claims --work runs/supernets` writes the tables `supernets`,
`supernet-students` and `supernet-claims` to `results/`; a stopped run is resumed with the same
command.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import numpy as np

from benchmarks.results_folder import keep
from benchmarks.supernet_rows import ClaimRow, StudentRow, SupernetRow
from benchmarks.supernet_students import Lab, Start, SupernetSettings, described, part_of, spread
from diswot.bench.paired import paired_interval, paired_p
from diswot.bench.rank_statistics import Vector, kendall, kendall_interval, spearman
from diswot.cli import displayed_progress

SEEDS = 3
RELATIONS, MASKED = Start("relations", 3, 6), Start("masked-lm", 3, 6)
"""Initial weights of the students that are trained on the labels."""
SINGLES = (Start("relations", 1, 6), Start("relations", 1, 2))
"""One supernet, with as many steps as three have together, or as each of three has."""
PER_PART = 8
"""Students of each sub-space that are trained on the labels."""
EPOCHS = 2
"""Epochs of each student on the labels."""


def starts() -> list[tuple[Start, int]]:
    """Return the supernets that are trained, and their seeds."""
    return [(start, seed) for start in (RELATIONS, *SINGLES, MASKED) for seed in range(SEEDS)]


def student_rows(
    lab: Lab, starts: Sequence[Start], *, seeds: int, per_part: int, epochs: int
) -> list[StudentRow]:
    """Train students of each sub-space on the labels from several starts.

    Args:
        lab: where trainings are made and recorded.
        starts: initial weights; the held-out loss is of the first.
        seeds: number of seeds.
        per_part: number of students of each sub-space, evenly by size.
        epochs: epochs of every training.
    """
    names = [name for students in spread(*lab.key, per_part).values() for name in students]
    tasks = [
        (start, seed, name, "alone", epochs)
        for seed in range(seeds)
        for start in starts
        for name in names
    ]
    records, fits = lab.students(tasks), lab.scored(names)
    losses = [lab.losses(starts[0], seed) for seed in range(seeds)]

    def accuracies(seed: int, name: str, split: str) -> dict[str, float]:
        return {str(start): records[start, seed, name, "alone", epochs][split] for start in starts}

    return [
        StudentRow(
            seed,
            name,
            part_of(name),
            fits[name].params,
            losses[seed][name],
            accuracies(seed, name, "val"),
            accuracies(seed, name, "test"),
            fits[name].score,
        )
        for seed in range(seeds)
        for name in names
    ]


def loss_claims(rows: Sequence[SupernetRow]) -> list[ClaimRow]:
    """Compare the held-out loss of three supernets with that of one.

    One supernet has as many steps as all three together, or as each of them.
    """
    losses = {(row.supernets, row.epochs, row.seed): row.loss for row in rows if row.loss}
    share, claims = RELATIONS.epochs // RELATIONS.supernets, []
    for single in SINGLES:
        three, one = (
            np.array([losses[start.supernets, start.epochs, seed] for seed in range(SEEDS)])
            for start in (RELATIONS, single)
        )
        claim = f"loss: three supernets of {share} epochs each, one of {single.epochs}"
        claims.append(compared(claim, three, one))
    return claims


class StudentClaims:
    """Comparisons of students that were trained on the labels.

    Args:
        rows: students of all seeds.
    """

    def __init__(self, rows: Sequence[StudentRow]) -> None:
        seeds = sorted({row.seed for row in rows})
        self._by_seed = [[row for row in rows if row.seed == seed] for seed in seeds]

    def rows(self) -> list[ClaimRow]:
        """Return all comparisons."""
        relations, masked = (
            np.array([np.mean([row.test[str(start)] for row in rows]) for rows in self._by_seed])
            for start in (RELATIONS, MASKED)
        )
        agnostic, proxy = self._picked(_least_loss), self._picked(_most_accurate)
        return [
            compared("accuracy: relations, masked-LM", relations, masked),
            compared("accuracy: task-agnostic, task-proxy selection", agnostic, proxy),
            compared("Kendall's τ of −loss and accuracy", self._correlated(kendall)),
            compared("Spearman's ρ of −loss and accuracy", self._correlated(spearman)),
            self._of_means("−loss", lambda row: -row.loss),
            self._of_means("parameters", lambda row: row.params),
            self._of_means("student_fit", lambda row: row.student_fit),
        ]

    def _picked(self, pick: Callable[[Sequence[StudentRow]], StudentRow]) -> Vector:
        """Return the test accuracy of the selected student, mean over the sub-spaces."""
        accuracies = []
        for rows in self._by_seed:
            parts = [[row for row in rows if row.part == part] for part in described()]
            accuracies.append(np.mean([pick(part).test[str(RELATIONS)] for part in parts]))
        return np.array(accuracies)

    def _correlated(self, statistic: Callable[[Vector, Vector], float]) -> Vector:
        """Return the correlation of −loss and test accuracy for each seed."""
        columns = [
            np.array([(-row.loss, row.test[str(RELATIONS)]) for row in rows]).T
            for rows in self._by_seed
        ]
        return np.array([statistic(scores, accuracies) for scores, accuracies in columns])

    def _of_means(self, name: str, score: Callable[[StudentRow], float]) -> ClaimRow:
        """Return Kendall's τ of scores and accuracies that are averaged over seeds first."""
        scores, accuracies = (
            np.mean([[of(row) for row in rows] for rows in self._by_seed], axis=0)
            for of in (score, lambda row: row.test[str(RELATIONS)])
        )
        tau = kendall(scores, accuracies)
        low, high = kendall_interval(scores, accuracies)
        claim = f"Kendall's τ of {name} and accuracy, means over seeds"
        return ClaimRow(claim, tau, None, tau, low, high, (), None)


def compared(claim: str, one: Vector, other: Vector | None = None) -> ClaimRow:
    """Return the mean of a statistic, or of its paired difference, over seeds.

    Args:
        claim: what is compared.
        one: statistic for each seed.
        other: statistic to subtract; by default the mean of `one` is compared with 0.
    """
    values = one if other is None else one - other
    other_mean = None if other is None else float(other.mean())
    mean, by_seed = float(values.mean()), tuple(map(float, values))
    (low, high), p = paired_interval(values), paired_p(values)
    return ClaimRow(claim, float(one.mean()), other_mean, mean, low, high, by_seed, p)


def _least_loss(rows: Sequence[StudentRow]) -> StudentRow:
    return min(rows, key=lambda row: row.loss)


def _most_accurate(rows: Sequence[StudentRow]) -> StudentRow:
    return max(rows, key=lambda row: row.val[str(RELATIONS)])


@click.command()
@click.option("--work", type=click.Path(path_type=Path), default=Path("runs/supernets"))
def main(work: Path) -> None:
    """Make the tables; a stopped run is resumed."""
    started, settings = datetime.now(UTC), SupernetSettings()
    with displayed_progress() as progress:
        lab = Lab(settings, work, progress)
        students = student_rows(
            lab, (RELATIONS, MASKED), seeds=SEEDS, per_part=PER_PART, epochs=EPOCHS
        )
        supernets = lab.supernets(starts())
    provenance: dict[str, Any] = {
        "settings": {**vars(settings), "epochs": EPOCHS, "students_per_part": PER_PART},
        "space": described(),
    }
    keep("supernets", supernets, provenance, started, work=work)
    keep("supernet-students", students, provenance, started, work=work)
    claims = [*loss_claims(supernets), *StudentClaims(students).rows()]
    keep("supernet-claims", claims, provenance, started, work=work)


if __name__ == "__main__":
    main()
