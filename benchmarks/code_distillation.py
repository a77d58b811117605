"""Students of source code: distilled without contracts, transferred, and with parts left out.

`python -m benchmarks.code_distillation --work runs/code --data contracts.jsonl` writes
`results/code-distillation.csv`. If it is interrupted, the same command resumes with the trainings
that are left.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
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
from diswot.training import TrainedTeacher


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
    path: Path, settings: CodeSettings, records: Mapping[Any, Mapping[str, Any]]
) -> list[CodeRow]:
    whole = distillation_of(path, settings)
    data, teacher = cast(CodeData, whole.data), cast(TrainedTeacher, whole.teacher)
    rows = [CodeRow("teacher", "", 1, teacher.test.value, **costs_of(teacher.network, data))]
    for study, arms, reference in (
        ("samples", SAMPLES, "programs"),
        ("parts", PARTS, PARTS[0]),
        ("transfer", STARTS, STARTS[0]),
    ):
        costs = costs_of(student_of(data, settings, 0), data) if study != "parts" else {}
        rows += [_row(records, settings, (study, arm), reference, costs) for arm in arms]
    return rows


def _row(
    records: Mapping[Any, Mapping[str, Any]],
    settings: CodeSettings,
    key: tuple[str, str],
    reference: str,
    costs: Mapping[str, Any],
) -> CodeRow:
    study, arm = key
    seeds = range(settings.seeds)
    values, others = (
        np.array([records[study, name, seed]["macro_f1"] for seed in seeds])
        for name in (arm, reference)
    )
    first, difference = records[study, arm, 0], values - others
    known = {name: first[name] for name in ("parameters", "milliseconds") if name in first}
    return CodeRow(
        study,
        arm,
        settings.seeds,
        float(values.mean()),
        float(values.std(ddof=1)),
        None if arm == reference else float(difference.mean()),
        None if arm == reference else paired_p(difference),
        f1=first["f1"],
        train_reads=first.get("train_reads"),
        **{**costs, **known},
    )


@click.command()
@click.option("--work", type=click.Path(path_type=Path), required=True, help="Trainings so far.")
@click.option("--data", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--workers", type=click.IntRange(min=1), default=1, show_default=True)
def main(work: Path, data: Path, workers: int) -> None:
    """Train all arms, and write the table."""
    settings, started = CodeSettings(), datetime.now(UTC)
    studies = ("samples", SAMPLES), ("parts", PARTS), ("transfer", STARTS)
    with displayed_progress() as progress:
        for end in range(1, len(studies) + 1):  # students are distilled before they are tuned
            tasks = [
                (study, arm, seed)
                for study, arms in studies[:end]
                for seed in range(settings.seeds)
                for arm in arms
            ]
            records = Trainings(asdict(settings), work, key=["study", "arm", "seed"]).run(
                tasks,
                partial(one_training, data, settings, work),
                before=partial(distillation_of, data, settings),
                workers=workers,
                progress=progress,
            )
    rows = _rows(data, settings, records)
    keep("code-distillation", rows, asdict(settings), started)


if __name__ == "__main__":
    main()
