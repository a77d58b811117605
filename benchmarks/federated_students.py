"""Students found per client against one architecture for all clients, at equal total parameters.

`python -m benchmarks.federated_students --work runs/federated-students` writes
`results/federated-students.csv`. If it is interrupted, the same command resumes.
"""

import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any

import click
import numpy as np

from benchmarks.federations import (
    FederatedSettings,
    data_of,
    federation_in,
    mean_accuracies,
    run_rounds,
)
from benchmarks.results_folder import keep
from diswot.bench.paired import paired_p
from diswot.bench.trainings import Trainings
from diswot.cli import displayed_progress
from diswot.search import Budget, search
from search_spaces import ThinSpace

LIMITS = (2_000, 5_000, 10_000, 20_000)
"""Parameter limits of the clients, in turn."""

ALPHAS = (0.1, 0.5, 100.0)
ARMS = ("per client", "one for all")


@dataclass(frozen=True)
class StudentsRow:
    """Means over seeds of one way to choose the students.

    Attributes:
        alpha: parameter of the Dirichlet distribution of label mixes.
        students: `per client`: each client's student is found within its own limit; `one for
            all`: one student is found within the mean of the limits.
        seeds: number of seeds.
        params: mean of the total parameters of all clients.
        own: mean over clients of the test accuracy with their own label mix.
        all: mean over clients of the accuracy on all test examples.
        own_gain: mean difference of `own` from one student for all, paired by seed.
        own_p: p-value of this difference (paired t-test).
        all_gain: mean difference of `all` from one student for all.
        all_p: p-value of this difference.
    """

    alpha: float
    students: str
    seeds: int
    params: float
    own: float
    all: float
    own_gain: float | None
    own_p: float | None
    all_gain: float | None
    all_p: float | None


@cache
def _found(settings: FederatedSettings, limit: int, seed: int) -> tuple[str, int]:
    """Return the student that the default search finds within a limit, and its parameters."""
    data, budget = data_of(settings, seed), Budget(params=limit)
    result = search(
        None,
        ThinSpace(in_channels=1),
        budget=budget,
        data=data,
        seed=seed,
        generations=6,
        progress=False,
    )
    return result.best.name, result.best.params


def _one(settings: FederatedSettings, task: tuple[float, str, int]) -> dict[str, Any]:
    """Run one federation and return its record."""
    alpha, arm, seed = task
    limits = [LIMITS[index % len(LIMITS)] for index in range(settings.clients)]
    if arm == "one for all":
        limits = [sum(limits) // len(limits)] * len(limits)
    found = [_found(settings, limit, seed) for limit in limits]
    with tempfile.TemporaryDirectory() as folder:
        federation = federation_in(
            settings,
            Path(folder),
            seed=seed,
            space=ThinSpace(in_channels=1),
            alpha=alpha,
            local_samples=max(settings.sizes),
        )
        run_rounds(
            federation,
            [
                federation.client(owner, student)
                for owner, (student, _) in zip(federation.owners, found, strict=True)
            ],
        )
        accuracies = mean_accuracies(federation)
    return {
        "alpha": alpha,
        "arm": arm,
        "seed": seed,
        "students": [student for student, _ in found],
        "params": sum(params for _, params in found),
        **accuracies,
    }


def _row(
    records: Mapping[Any, Mapping[str, Any]], alpha: float, arm: str, seeds: int
) -> StudentsRow:
    def values(which: str, name: str) -> Any:
        return np.array([records[alpha, which, seed][name] for seed in range(seeds)], dtype=float)

    gains = {name: values(arm, name) - values("one for all", name) for name in ("own", "all")}
    compared = arm != "one for all"
    return StudentsRow(
        alpha,
        arm,
        seeds,
        float(values(arm, "params").mean()),
        float(values(arm, "own").mean()),
        float(values(arm, "all").mean()),
        float(gains["own"].mean()) if compared else None,
        paired_p(gains["own"]) if compared else None,
        float(gains["all"].mean()) if compared else None,
        paired_p(gains["all"]) if compared else None,
    )


@click.command()
@click.option("--work", type=click.Path(path_type=Path), required=True, help="Runs so far.")
def main(work: Path) -> None:
    """Run what is missing, and write the table."""
    settings, started = FederatedSettings(), datetime.now(UTC)
    tasks = [
        (alpha, arm, seed) for seed in range(settings.seeds) for alpha in ALPHAS for arm in ARMS
    ]
    recorded = asdict(settings) | {"limits": list(LIMITS)}
    with displayed_progress() as progress:
        records = Trainings(recorded, work, key=["alpha", "arm", "seed"]).run(
            tasks,
            partial(_one, settings),
            before=partial(data_of, settings, 0),
            workers=1,
            progress=progress,
        )
    rows = [_row(records, alpha, arm, settings.seeds) for alpha in ALPHAS for arm in ARMS]
    keep("federated-students", rows, recorded, started, work=work)


if __name__ == "__main__":
    main()
