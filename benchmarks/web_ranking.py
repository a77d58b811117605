"""How rankings move if students are scored on a pool of other images instead of the original ones.

`python -m benchmarks.web_ranking` writes `results/web-ranking.csv`.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, cast

import click
import numpy as np

from benchmarks.results_folder import keep
from benchmarks.web_trainings import POOL
from diswot.bench.association import kendall
from diswot.search import find_space, score
from diswot.seeding import generator_for
from diswot.tasks import Dataset
from diswot.tasks.images import load_data, with_pool
from diswot.training import TrainedTeacher, prepare_distillation

SCORERS = ("student_fit", "diswot", "sp", "at", "kd", "nwot")


@dataclass(frozen=True)
class RankingSettings:
    """What is scored.

    Attributes:
        data: the dataset of the teacher.
        pool: the other images.
        teacher: the teacher, with trained weights.
        space: space of the architectures.
        architectures: number of random architectures.
    """

    data: str = "digits"
    pool: str = POOL
    teacher: str = "resnet20"
    space: str = "thin"
    architectures: int = 30


@dataclass(frozen=True)
class RankingRow:
    """Agreement of the rankings by one score.

    Attributes:
        score: the score, of two initializations and batches.
        architectures: number of architectures that have a score on both kinds of images.
        tau: Kendall's τ between scores on the pool and on training images.
        tau_of_seeds: τ between scores on training images with two seeds, the noise of the score.
        low: lower end of the 95 % interval of `tau` (bootstrap over architectures).
        high: upper end of this interval.
        same_best: whether both have the same best architecture.
    """

    score: str
    architectures: int
    tau: float
    tau_of_seeds: float
    low: float
    high: float
    same_best: bool


def _scores(
    settings: RankingSettings,
    names: Sequence[str],
    data: Dataset,
    scorer: str,
    *,
    seed: int,
    teacher: Any,
) -> Any:
    state = {} if scorer in ("student_fit", "nwot") else {"teacher_state": "trained"}
    found = score(
        names,
        teacher,
        space=settings.space,
        data=data,
        scorer=scorer,
        seed=seed,
        progress=False,
        **cast(Any, state),
    )
    return np.array([candidate.score for candidate in found], dtype=float)


def _row(
    settings: RankingSettings,
    names: Sequence[str],
    scorer: str,
    data: Sequence[Dataset],
    teacher: Any,
) -> RankingRow:
    original, pool, again = (
        _scores(settings, names, each, scorer, seed=seed, teacher=teacher)
        for each, seed in ((data[0], 0), (data[1], 0), (data[0], 1))
    )
    finite = np.isfinite(original) & np.isfinite(pool) & np.isfinite(again)
    original, pool, again = original[finite], pool[finite], again[finite]
    rng, taus = generator_for("web ranking"), []
    for _ in range(1000):
        drawn = rng.integers(0, len(pool), len(pool))
        taus.append(kendall(original[drawn], pool[drawn]))
    low, high = np.nanquantile(taus, [0.025, 0.975])
    return RankingRow(
        scorer,
        len(pool),
        kendall(original, pool),
        kendall(original, again),
        float(low),
        float(high),
        bool(original.argmax() == pool.argmax()),
    )


@click.command()
def main() -> None:
    """Score the architectures on both kinds of images, and write the table."""
    settings, started = RankingSettings(), datetime.now(UTC)
    distillation = prepare_distillation(
        settings.teacher, data=settings.data, epochs=20, device="cpu", progress=lambda _: None
    )
    teacher = cast(TrainedTeacher, distillation.teacher).network
    data = load_data(settings.data)
    space, rng = find_space(settings.space, data.signature), generator_for("web ranking", "archs")
    names = list(
        dict.fromkeys(space.to_string(space.sample(rng)) for _ in range(settings.architectures))
    )
    both = data, with_pool(data, settings.pool)
    keep(
        "web-ranking",
        [_row(settings, names, scorer, both, teacher) for scorer in SCORERS],
        asdict(settings),
        started,
    )


if __name__ == "__main__":
    main()
