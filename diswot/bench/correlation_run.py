"""Measure scorers on a ground truth, and write tables and plots to a folder."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diswot.bench.correlation import BASELINES, Correlation, correlate, scores_of
from diswot.bench.ground_truths import TRUTHS, GroundTruth, find_truth, truth_from_csv
from diswot.bench.measurement import (
    Measured,
    MeasurementSettings,
    evaluator_for,
    measure,
    readable,
    teacher_for,
)
from diswot.bench.plots import plot_intervals, plot_scatter
from diswot.bench.rank_statistics import Vector
from diswot.bench.speed import time_alone
from diswot.bench.tables import flat, markdown, number, write_csv
from diswot.errors import DataError, OptionError
from diswot.plots import write_figure
from diswot.progress import Progress
from diswot.runs.folder import read_json, replace_file, write_record
from diswot.scorers import all_terms
from diswot.search import Evaluator, TeacherState
from diswot.tasks.images import data_root as find_root

COLUMNS = (
    "name",
    "Kendall τ",
    "95 %",
    "one repeat",
    "Spearman",
    "top 10 %",
    "regret 1/5/10",
    "nDCG",
    "τ | params",
    "failed",
    "ms",
)


@dataclass(frozen=True)
class CorrelationSettings:
    """Settings of `run_correlation`.

    Attributes:
        truth: name of a built-in ground truth, or path of a CSV file.
        scorers: names or expressions of scorers.
        target: a column of a built-in truth; by default `distilled`, or its first.
        column: column of accuracies of a CSV file.
        space: search space of a CSV file.
        data: dataset to score on; by default that of the target's trainings.
        table: official file of the ground truth, if it is not in the data root.
        sample: number of architectures, drawn at random; 0 for all.
        teacher: a teacher's name; by default `resnet110` for images, else the task's.
        teacher_state: whether it is at random initialization, or trained.
        teacher_weights: a checkpoint to load into it.
        repeats: initializations and batches per score.
        batch_size: images in a batch.
        seed: seed of the sample, batches, initializations and bootstrap.
        data_root: folder of tables and datasets.
        device: device such as `cpu` or `cuda:0`; by default a GPU if there is one.
    """

    truth: str
    scorers: tuple[str, ...]
    target: str | None = None
    column: str | None = None
    space: str | None = None
    data: str | None = None
    table: str | None = None
    sample: int = 0
    teacher: str | None = None
    teacher_state: TeacherState = "random"
    teacher_weights: str | None = None
    repeats: int = 3
    batch_size: int = 64
    seed: int = 0
    data_root: str | None = None
    device: str | None = None


@dataclass(frozen=True)
class CorrelationRecord:
    """A row of the CSV file: statistics, and the scorer's run time in ms."""

    row: Correlation
    milliseconds: float | None


@dataclass(frozen=True)
class CorrelationTable:
    """The result of `run_correlation`.

    Attributes:
        rows: one per scorer, including baselines.
        milliseconds: scorer → run time in ms per architecture and repeat, measured alone.
    """

    rows: Sequence[Correlation]
    milliseconds: Mapping[str, float]

    @property
    def ranked(self) -> list[Correlation]:
        """The rows, best first; those without statistics last."""
        return sorted(self.rows, key=Correlation.merit, reverse=True)

    def cells(self) -> list[list[str]]:
        """Return the table as text, in the order of `COLUMNS`."""
        return [_cells(row, self.milliseconds.get(row.scorer)) for row in self.ranked]

    @property
    def records(self) -> "list[CorrelationRecord]":
        """The rows with run times, best first."""
        return [CorrelationRecord(row, self.milliseconds.get(row.scorer)) for row in self.ranked]

    @property
    def remarks(self) -> list[str]:
        """Notes under the table: undefined statistics and failures."""
        failed = [row for row in self.ranked if row.failed]
        undefined = [f"{row.scorer}: {row.undefined}" for row in self.ranked if row.undefined]
        reasons = {row.why: row for row in reversed(failed)}
        return [
            *undefined,
            *(f"{row.failed} failed, as for {row.scorer}: {why}" for why, row in reasons.items()),
        ]


def run_correlation(
    settings: CorrelationSettings, out: Path, *, workers: int = 1, progress: Progress
) -> CorrelationTable:
    """Measure the scorers, correlate them, and write tables and plots to `out`.

    Raises:
        DiswotError: a name is unknown, or data, teacher and space do not fit.
    """
    scorers = tuple(dict.fromkeys((*settings.scorers, *BASELINES)))
    all_terms(scorers)  # unknown scorers raise before anything is read
    # 1. Read the ground truth; leave out scorers whose inputs the networks do not give.
    truth, target = _truth(settings, progress)
    scorers = readable(scorers, truth.task, progress)
    if settings.sample:
        truth = truth.sampled(settings.sample, settings.seed)
    # 2. Measure the terms of all scorers once for every architecture.
    measurement = MeasurementSettings(
        space=settings.space or truth.space_name,
        data=settings.data or truth.dataset(target),
        task=truth.task,
        teacher=teacher_for(truth.task, settings.teacher),
        teacher_state=settings.teacher_state,
        teacher_weights=settings.teacher_weights,
        scorers=scorers,
        repeats=settings.repeats,
        batch_size=settings.batch_size,
        seed=settings.seed,
        data_root=settings.data_root,
        device=settings.device,
        image_size=None if settings.data else truth.image_size,
    )
    check_params(truth, evaluator_for(measurement))
    names = [truth.space.to_string(arch) for arch in truth.architectures]
    about = {"truth": truth.name, "sample": settings.sample}
    measured = measure(measurement, names, out, workers=workers, progress=progress, about=about)
    # 3. Correlate the scores with the accuracies, and time each scorer alone.
    accuracies = truth.accuracies(target)
    rows = [
        correlate(measured, accuracies, scorer, truth=truth.name, target=target, seed=settings.seed)
        for scorer in scorers
    ]
    table = CorrelationTable(rows, timed(measurement, names, out, progress))
    _write(table, measured, accuracies, out)
    return table


def _truth(settings: CorrelationSettings, progress: Progress) -> tuple[GroundTruth, str]:
    if not settings.truth.endswith(".csv"):
        if settings.column or settings.space:
            raise OptionError(
                "--column and --space are for a CSV file of your own: "
                f"for {settings.truth} give --target"
            )
        table, root = settings.table, find_root(settings.data_root)
        truth = find_truth(
            settings.truth, root, table=None if table is None else Path(table), progress=progress
        )
        return truth, settings.target or truth.default_target
    if settings.table is not None:
        raise OptionError(
            f"--table {settings.table} is for the official file of a built-in truth, but --truth "
            f"{settings.truth} is a table already: leave it out"
        )
    if not (settings.column and settings.space and settings.data):
        raise OptionError(
            f"for {settings.truth} give --column, --space and --data: "
            "its accuracies, its architectures and what they were trained on"
        )
    truth = truth_from_csv(
        Path(settings.truth), column=settings.column, space=settings.space, data=settings.data
    )
    return truth, settings.column


def check_params(truth: GroundTruth, evaluator: Evaluator) -> None:
    """Check, before scoring, that networks have as many parameters as the table lists.

    Raises:
        DataError: a network has another number; the message names the first one.
    """
    if truth.params is None:
        return
    for arch, listed in zip(truth.architectures, truth.params, strict=True):
        params = evaluator.costs(arch).params
        if params != listed:
            raise DataError(
                f"{truth.name}: {truth.space.to_string(arch)} has {listed:,.12g} parameters in the "
                f"table, but its network has {params:,} for {truth.data}: {_remedy(truth)}"
            )


def _remedy(truth: GroundTruth) -> str:
    if truth.name in TRUTHS:
        return "copy or download the table again"
    return "give the space and the data of the table, or remove its column params"


def timed(
    settings: MeasurementSettings, names: Sequence[str], out: Path, progress: Progress
) -> dict[str, float]:
    """Return scorer → run time in ms, measured once and kept in `out/milliseconds.json`."""
    path = out / "milliseconds.json"
    if not path.exists():
        write_record(path, time_alone(settings, names, progress))
    return read_json(path)


def _write(
    table: CorrelationTable, measured: Sequence[Measured], accuracies: Vector, out: Path
) -> None:
    target = table.rows[0].target
    write_csv(out / f"{target}.csv", table.records)
    text = "\n\n".join([markdown(COLUMNS, table.cells()), *table.remarks]) + "\n"
    replace_file(out / f"{target}.md", lambda path: path.write_text(text, encoding="utf-8"))
    write_figure(plot_intervals(table.rows, f"{target}-bars"), out)
    scores = {
        row.scorer: scores_of(measured, row.scorer) for row in table.rows if not row.undefined
    }
    write_figure(plot_scatter(table.rows, scores, accuracies, f"{target}-scatter"), out)


def _cells(row: Correlation, milliseconds: float | None) -> list[str]:
    result: dict[str, Any] = flat(row)
    single = "–"
    if row.single_sd is not None:
        single = f"{number(row.single_mean)}±{number(row.single_sd)}"
    interval = "–"
    if row.statistics is not None:
        interval = f"{number(result['kendall_low'])} … {number(result['kendall_high'])}"
    return [
        f"{row.scorer} *" if row.baseline else row.scorer,
        number(result.get("kendall")),
        interval,
        single,
        number(result.get("spearman")),
        number(result.get("spearman_top")),
        "/".join(number(result.get(f"regret_{top}")) for top in (1, 5, 10)),
        number(result.get("ndcg")),
        number(result.get("partial")),
        str(row.failed),
        number(milliseconds, ".0f"),
    ]
