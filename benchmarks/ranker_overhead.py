"""What the ranker of short trainings costs: `python -m benchmarks.ranker_overhead`.

Searches with real short trainings on digits, timed as a whole in this process. What is left after
subtracting the trainings is the overhead: features, posterior, choices and the journal.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import torch

from benchmarks.results_folder import keep
from diswot.cli import displayed_progress
from diswot.progress import silent, tracked
from diswot.search import TrainingBudget, search
from diswot.search.few_shot import train_briefly
from diswot.tasks.images import load_data
from diswot.training import Distillation, prepare_distillation

RUNS = 3
SPACE, DATA, TEACHER = "thin", "digits", "resnet56"


@dataclass(frozen=True)
class OverheadRow:
    """Wall-clock times of the short trainings of one search.

    Attributes:
        run: number of the run in this process; the first one also imports libraries.
        candidates: scored candidates, which the ranker ranks.
        trainings: number of short trainings.
        epochs: epochs of each.
        training_seconds: the sum of their times.
        total_seconds: the time of the whole stage.
        overhead: the rest of the stage, in % of the trainings' time.
    """

    run: int
    candidates: int
    trainings: int
    epochs: int
    training_seconds: float
    total_seconds: float
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
        started = time.perf_counter()
        done = train_briefly(result, distillation, plan, progress=silent)
        total = time.perf_counter() - started
    spent = sum(item.seconds for item in done.trainings)
    return OverheadRow(
        *(run, len(done.order), len(done.trainings), plan.epochs),
        training_seconds=round(spent, 3),
        total_seconds=round(total, 3),
        overhead=round(100 * (total - spent) / spent, 3),
    )


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
