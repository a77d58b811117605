"""Students of source code: distilled without contracts, transferred, and with parts left out.

`python -m benchmarks.code_distillation --work runs/code --data contracts.jsonl` writes
`results/code-distillation.csv`. If it is interrupted, the same command resumes with the trainings
that are left.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, cast

import click
import numpy as np

from benchmarks.code_trainings import (
    PARTS,
    SAMPLES,
    STARTS,
    CodeSettings,
    costs_of,
    distillation_of,
    one_training,
    student_of,
)
from benchmarks.results_folder import keep
from diswot.bench.paired import paired_p
from diswot.bench.trainings import Trainings
from diswot.cli import displayed_progress
from diswot.tasks.code import CodeData
from diswot.training import Distillation, TrainedTeacher


@dataclass(frozen=True)
class CodeRow:
    """Test macro F1 of one arm of a study.

    Attributes:
        study: `samples`, `parts` or `transfer`.
        arm: what differs.
        seeds: number of seeds.
        macro_f1: mean test macro F1.
        sd: standard deviation over seeds.
        difference: mean difference from the first arm of the study, paired by seed; in the
            study `samples`, from training on the programs.
        p: two-sided p-value of this difference (paired t-test).
        parameters: parameters of the network.
        milliseconds: median latency of one program in torch, on one thread.
        f1: F1 of every class, of the first seed.
        train_reads: training programs that its batches were made of.
    """

    study: str
    arm: str
    seeds: int
    macro_f1: float
    sd: float | None = None
    difference: float | None = None
    p: float | None = None
    parameters: int | None = None
    milliseconds: float | None = None
    f1: str = ""
    train_reads: int | None = None


def _rows(
    whole: Distillation,
    settings: CodeSettings,
    records: Mapping[Any, Mapping[str, Any]],
    seeds: int,
) -> list[CodeRow]:
    data, teacher = cast(CodeData, whole.data), cast(TrainedTeacher, whole.teacher)
    rows = [CodeRow("teacher", "", 1, teacher.test.value, **costs_of(teacher.network, data))]
    costs = costs_of(student_of(data, settings.student, 0), data)
    for study, arms, reference in (
        ("samples", SAMPLES, "programs"),
        ("parts", PARTS, PARTS[0]),
        ("transfer", STARTS, STARTS[0]),
    ):
        for arm in arms:
            own = [records[study, arm, seed] for seed in range(seeds)]
            others = [records[study, reference, seed] for seed in range(seeds)]
            row = _row(study, arm, own, None if arm == reference else others)
            known = {name: own[0].get(name, costs[name]) for name in costs}
            rows.append(replace(row, **known))
    return rows


def _row(
    study: str,
    arm: str,
    own: Sequence[Mapping[str, Any]],
    others: Sequence[Mapping[str, Any]] | None,
) -> CodeRow:
    """Return a row, with the paired difference from the records of another arm."""
    values = np.array([record["macro_f1"] for record in own])
    row = CodeRow(
        study,
        arm,
        len(own),
        float(values.mean()),
        float(values.std(ddof=1)),
        f1=own[0]["f1"],
        train_reads=own[0].get("train_reads"),
    )
    if others is None:
        return row
    differences = values - np.array([record["macro_f1"] for record in others])
    return replace(row, difference=float(differences.mean()), p=paired_p(differences))


@click.command()
@click.option("--work", type=click.Path(path_type=Path), required=True, help="Trainings so far.")
@click.option("--data", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--seeds", type=click.IntRange(min=2), default=3, show_default=True)
def main(work: Path, data: Path, seeds: int) -> None:
    """Train all arms, and write the table."""
    settings, started = CodeSettings(), datetime.now(UTC)
    studies = ("samples", SAMPLES), ("parts", PARTS), ("transfer", STARTS)
    # Students of a seed are distilled before they are tuned, so there is one worker.
    tasks = [(study, arm, seed) for seed in range(seeds) for study, arms in studies for arm in arms]
    prepared = partial(distillation_of, data, settings, work)
    with displayed_progress() as progress:
        records = Trainings(asdict(settings), work, key=["study", "arm", "seed"]).run(
            tasks,
            partial(one_training, data, settings, work),
            before=prepared,
            workers=1,
            progress=progress,
        )
    rows = _rows(prepared(), settings, records, seeds)
    keep("code-distillation", rows, {**asdict(settings), "seeds": seeds}, started, work=work)


if __name__ == "__main__":
    main()
