"""What the ranker of short trainings costs: `python -m benchmarks.ranker_overhead`.

Searches with real short trainings on digits, in processor time of one thread, which other work on
the machine hardly changes. Each stage of short trainings is run twice: the second time, all
trainings are read from the run folder, and what remains is the overhead (features, posterior,
choices, early stopping and reading the run folder). The import of scikit-learn is not part of it.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import torch

from benchmarks.results_folder import keep
from diswot.cli import displayed_progress
from diswot.progress import silent, tracked
from diswot.search import SearchResult, TrainingBudget, search
from diswot.search.few_shot import train_briefly
from diswot.tasks.images import load_data
from diswot.training import Distillation, prepare_distillation

RUNS = 2
SPACE, DATA, TEACHER = "thin", "digits", "resnet56"


@dataclass(frozen=True)
class OverheadRow:
    """Processor times of the short trainings of one search.

    Attributes:
        run: number of the run, which is also the seed of the search.
        candidates: scored candidates, which the ranker ranks.
        trainings: number of short trainings.
        epochs: epochs of each.
        training_seconds: the time of the trainings.
        overhead_seconds: the time of the rest of the stage.
        overhead: this time in % of the trainings' time.
    """

    run: int
    candidates: int
    trainings: int
    epochs: int
    training_seconds: float
    overhead_seconds: float
    overhead: float


def overhead(run: int, distillation: Distillation, trainings: TrainingBudget) -> OverheadRow:
    """Return the times of the short trainings of a default search.

    Args:
        run: number of the run, which is also the seed of the search.
        distillation: teacher, data and the recipe of a full training.
        trainings: the budget of short trainings.
    """
    with TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        result = search(TEACHER, SPACE, data=DATA, seed=run, out=out, progress=False)
        plan = trainings.plan(distillation.recipe.epochs)
        short = partial(train_briefly, result, distillation, plan, progress=silent)
        (done, both), (_, rest) = _timed(short), _timed(short)
    return OverheadRow(
        *(run, len(done.order), len(done.trainings), plan.epochs),
        training_seconds=round(both - rest, 3),
        overhead_seconds=round(rest, 3),
        overhead=round(100 * rest / (both - rest), 3),
    )


def _timed(action: Callable[[], SearchResult]) -> tuple[SearchResult, float]:
    """Return the result of an action, and its processor time."""
    started = time.process_time()
    result = action()
    return result, time.process_time() - started


@click.command()
@click.option("--trainings", default=20, show_default=True, help="Short trainings of a search.")
def main(trainings: int) -> None:
    """Write benchmarks/results/ranker-overhead.csv."""
    torch.set_num_threads(1)
    started, budget = datetime.now(UTC), TrainingBudget(trainings)
    with displayed_progress() as progress:
        distillation = prepare_distillation(TEACHER, data=load_data(DATA), progress=progress)
        runs = tracked(range(RUNS), progress, "searches", RUNS)
        rows = [overhead(run, distillation, budget) for run in runs]
    keep("ranker-overhead", rows, {"space": SPACE, "data": DATA, "teacher": TEACHER}, started)


if __name__ == "__main__":
    main()
