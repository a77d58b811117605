"""Students of supernets and students selected without training, at equal cost.

`python -m benchmarks.supernet_costs --work runs/supernets` writes the table `supernet-costs` to
`results/`. Both methods select one student with at most 100,000 parameters, and train it on the
labels. A student with random weights is trained once for as many epochs as the other one, and once
for as many as fit into the CPU seconds of supernets, selection and fine-tuning. The table
`supernet-cost-claims` has the differences in accuracy.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import process_time
from typing import Any

import click
import numpy as np

from benchmarks.results_folder import keep
from benchmarks.supernet_claims import EPOCHS, RELATIONS, SEEDS, compared
from benchmarks.supernet_rows import ClaimRow, CostRow
from benchmarks.supernet_students import (
    RANDOM,
    SPACE,
    Lab,
    Start,
    SupernetSettings,
    described,
)
from diswot.cli import displayed_progress

MAX_PARAMS = 100_000
LOSSES = ("kd", "alone")
"""Losses of the training on the labels."""


@dataclass(frozen=True)
class Selection:
    """The student that a method selected.

    Attributes:
        name: architecture.
        params: number of parameters.
        seconds: CPU seconds of the selection, with the training of supernets.
    """

    name: str
    params: int
    seconds: float


def within_budget(lab: Lab) -> tuple[dict[str, Any], float]:
    """Return student → candidate with its `student_fit`, and the CPU seconds of scoring all."""
    started = process_time()
    candidates = lab.scored([SPACE.to_string(arch) for arch in SPACE])
    seconds = round(process_time() - started, 1)
    small = {name: item for name, item in candidates.items() if item.params <= MAX_PARAMS}
    return small, seconds


def cost_rows(lab: Lab, start: Start) -> list[CostRow]:
    """Return the students of both methods, for every loss and seed."""
    candidates, scoring = within_budget(lab)
    best = max(candidates, key=lambda name: float(candidates[name].score))
    random = Selection(best, candidates[best].params, scoring)
    rows = []
    for loss in LOSSES:
        for seed in range(SEEDS):
            sliced = _selected(lab, start, seed, candidates)
            tuned = _trained(lab, start, seed, sliced, loss, EPOCHS)
            # The rate of a short training says how many epochs cost as much as the supernets.
            short = _trained(lab, RANDOM, seed, random, loss, EPOCHS)
            rate = (short.seconds - scoring) / EPOCHS
            epochs = round(tuned.seconds / rate)
            rows += [tuned, short, _trained(lab, RANDOM, seed, random, loss, epochs)]
    return rows


def _selected(lab: Lab, start: Start, seed: int, candidates: dict[str, Any]) -> Selection:
    """Return the student with the lowest held-out loss in the supernets."""
    (supernets,) = lab.supernets([(start, seed)])
    losses = lab.losses(start, seed)
    name = min(candidates, key=lambda name: losses[name])
    seconds = supernets.training_seconds + supernets.search_seconds
    return Selection(name, candidates[name].params, seconds)


def _trained(
    lab: Lab, start: Start, seed: int, selected: Selection, loss: str, epochs: int
) -> CostRow:
    task = (start, seed, selected.name, loss, epochs)
    record = lab.students([task])[task]
    return CostRow(
        "distillation" if start == RANDOM else "supernet",
        loss,
        seed,
        selected.name,
        selected.params,
        start.epochs,
        epochs,
        round(selected.seconds + record["seconds"], 1),
        record["relation_loss"],
        record["test"],
    )


def cost_claims(rows: list[CostRow]) -> list[ClaimRow]:
    """Compare the accuracy of both methods, after equal epochs on the labels and at equal cost."""
    claims = []
    for loss in LOSSES:
        of_loss = [row for row in rows if row.loss == loss]
        sliced = [row for row in of_loss if row.method == "supernet"]
        short = [row for row in of_loss if row.method != "supernet" and row.epochs == EPOCHS]
        long = [row for row in of_loss if row.method != "supernet" and row.epochs > EPOCHS]
        for name, others in (("equal epochs", short), ("equal cost", long)):
            accuracies = (np.array([row.test for row in arm]) for arm in (sliced, others))
            claims.append(compared(f"{loss}, {name}: supernet, distillation", *accuracies))
    return claims


@click.command()
@click.option("--work", type=click.Path(path_type=Path), default=Path("runs/supernets"))
def main(work: Path) -> None:
    """Make the tables; a stopped run is resumed."""
    started, settings = datetime.now(UTC), SupernetSettings()
    with displayed_progress() as progress:
        rows = cost_rows(Lab(settings, work, progress), RELATIONS)
    provenance = {"settings": vars(settings), "max_params": MAX_PARAMS, "space": described()}
    keep("supernet-costs", rows, provenance, started, work=work)
    keep("supernet-cost-claims", cost_claims(rows), provenance, started, work=work)


if __name__ == "__main__":
    main()
