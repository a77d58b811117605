"""The main job: search, distil the winner, compare, export."""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Unpack, cast, get_type_hints

from torch import nn

from diswot.data import load_data
from diswot.distillation import (
    Accuracy,
    Distillation,
    DistillationOptions,
    Training,
    prepare_distillation,
)
from diswot.export import Exported, export, require_onnx
from diswot.progress import Progress, news, silent
from diswot.run_folder import check_new_folder, write_json
from diswot.scorers import find_scorer
from diswot.search import (
    Budget,
    Candidate,
    ComparisonOptions,
    Costs,
    SearchResult,
    check_space,
    find_space,
    measure_costs,
    measure_latency,
    search,
)
from diswot.seeding import generator_for, seed_for, torch_seed
from search_spaces import SearchSpace

DEFAULT_BUDGET = Budget(params=300_000)
LOSSES = ("alone", "diswot", "diswot-dagger")


@dataclass(frozen=True)
class Row:
    """One network in the closing table.

    Attributes:
        label: what it is in this run: `teacher`, `winner`, `largest`, …
        name: its architecture.
        costs: parameters and multiply-adds.
        latency_ms: median time of one image.
        score: as in the search; the teacher has none.
        accuracies: on the test split, by how it was trained.
    """

    label: str
    name: str
    costs: Costs
    latency_ms: float
    score: float | None = None
    accuracies: Mapping[str, Accuracy] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the row as plain values."""
        return {
            "label": self.label,
            "architecture": self.name,
            "params": self.costs.params,
            "macs": self.costs.macs,
            "latency_ms": self.latency_ms,
            "score": self.score,
            "accuracies": {
                loss: {"rate": accuracy.rate, "interval": list(accuracy.interval)}
                for loss, accuracy in self.accuracies.items()
            },
        }


@dataclass(frozen=True)
class RunReport:
    """What the main job made.

    Attributes:
        search: the search's result.
        rows: the teacher, the winner, and the plain choices.
        trainings: the winner's, by loss.
        exported: what was exported, and from which loss.
        shipped: the loss that the exported student was trained with.
        folder: the run folder.
    """

    search: SearchResult
    rows: tuple[Row, ...]
    trainings: Mapping[str, Training]
    exported: Exported
    shipped: str
    folder: Path

    def to_json(self) -> dict[str, Any]:
        """Return what `result.json` holds."""
        return self.search.to_json() | {
            "table": [row.to_json() for row in self.rows],
            "shipped": self.shipped,
            "student": {"files": list(self.exported.files), **self.exported.differences},
        }


class RunOptions(ComparisonOptions, DistillationOptions, total=False):
    """The options of `search` and of `distill`; those that both have are given once."""


def run(
    teacher: str | nn.Module = "resnet56",
    space: str | SearchSpace = "s0",
    *,
    budget: Budget = DEFAULT_BUDGET,
    engine: str = "evolution",
    population: int = 20,
    generations: int = 10,
    compare: bool = True,
    onnx: bool | None = None,
    out: str | Path,
    progress: Progress = silent,
    **options: Unpack[RunOptions],
) -> RunReport:
    """Search a student for the teacher, distil it, compare it with plain choices, export it.

    The winner is trained three times from the same initialisation with the same batches:
    alone, towards the teacher (DisWOT), and with the similarity losses besides (DisWOT†).
    Of the last two, the better on the validation split is exported.

    Args:
        teacher: a built-in name, `package.module:callable`, or a network.
        space: a built-in name, `package.module:Class`, or a space.
        budget: what a student may cost; by default 300,000 parameters.
        engine: `evolution` or `random`.
        population: candidates per generation.
        generations: generations after the first, which is random.
        compare: whether to distil the plain choices too (largest, smallest, random).
        onnx: whether to export ONNX; by default if the extra `onnx` is installed.
        out: the run folder.
        progress: told of every candidate and epoch.
        **options: see [`ComparisonOptions`][diswot.search.ComparisonOptions] and
            [`DistillationOptions`][diswot.distillation.DistillationOptions].

    Raises:
        DiswotError: something that was asked for does not exist or does not fit.
        RunError: every candidate failed, or a loss is not finite.
    """
    folder = Path(out)
    check_new_folder(folder)
    if onnx:
        require_onnx()
    data = load_data(options.get("data", "digits"), root=options.get("data_root"))
    options["data"] = data
    lessons = cast(DistillationOptions, _only(options, DistillationOptions))
    distillation = None
    if options.get("teacher_state") == "trained":
        # the teacher is trained first, so what the search would refuse is found out before
        find_scorer(options.get("scorer", "diswot"))
        check_space(find_space(space, in_channels=data.shape[0]), data.spec, generator_for("check"))
        distillation = prepare_distillation(teacher, data=data, progress=progress, **lessons)
    result = search(
        distillation.teacher.source if distillation and distillation.teacher else teacher,
        space,
        budget=budget,
        engine=engine,
        population=population,
        generations=generations,
        out=folder,
        progress=progress,
        **cast(ComparisonOptions, _only(options, ComparisonOptions)),
    )
    if distillation is None:
        distillation = prepare_distillation(teacher, data=data, progress=progress, **lessons)
    students = _Students(distillation, folder / "distill", options.get("seed", 0), progress)
    return _finished(result, students, folder, compare=compare, onnx=onnx)


def _finished(
    result: SearchResult,
    students: "_Students",
    folder: Path,
    *,
    compare: bool,
    onnx: bool | None,
) -> RunReport:
    """Train the winner and what it is compared with, export it, and write the report."""
    trained = {loss: students.train(result.best, loss) for loss in LOSSES}
    reports = {loss: training.report for loss, training in trained.items()}
    rows = (
        *students.teacher_rows(),
        students.row("winner", result.best, reports),
        *(
            students.plain_row(label, choice, compare=compare)
            for label, choice in result.plain_choices.items()
        ),
    )
    shipped = max(LOSSES[1:], key=lambda loss: reports[loss].val.correct)
    students.progress(news("export", "writing the student, and running every form of it"))
    exported = export(trained[shipped].network, folder / "student", onnx=onnx)
    report = RunReport(result, rows, reports, exported, shipped, folder)
    write_json(folder / "result.json", report.to_json())
    return report


def _only(options: Mapping[str, Any], kind: type) -> dict[str, Any]:
    """Return the options that a kind of options has."""
    return {name: value for name, value in options.items() if name in get_type_hints(kind)}


@dataclass(frozen=True)
class _Trained:
    network: nn.Module
    report: Training


class _Students:
    """Builds candidates with one initialisation, trains and measures them."""

    def __init__(
        self, distillation: Distillation, folder: Path, seed: int, progress: Progress
    ) -> None:
        self._distillation = distillation
        self._folder = folder
        self._seed = seed
        self.progress = progress

    def train(self, candidate: Candidate, loss: str, *, label: str | None = None) -> _Trained:
        """Train a fresh network of `candidate`; `label` names its folder."""
        student = self._build(candidate)
        training = self._distillation.train(
            student,
            loss=loss,
            folder=self._folder / (label or loss),
            progress=self.progress,
            stage=label or loss,
        )
        return _Trained(student, training)

    def teacher_rows(self) -> Iterator[Row]:
        """Return the row of the teacher, where there is one."""
        if self._distillation.teacher is not None:
            teacher, shape = self._distillation.teacher, self._distillation.data.shape
            yield Row(
                "teacher",
                teacher.source.name,
                measure_costs(lambda: copy.deepcopy(teacher.network).to("meta"), shape),
                measure_latency(teacher.network, shape, device=self._distillation.device),
                accuracies={"alone": teacher.accuracy},
            )

    def plain_row(self, label: str, choice: Candidate, *, compare: bool) -> Row:
        """Return the row of a plain choice, distilled like the winner if `compare`."""
        reports: dict[str, Training] = {}
        if compare and choice.failure is None:
            reports["diswot"] = self.train(choice, "diswot", label=label).report
        return self.row(label, choice, reports)

    def row(self, label: str, candidate: Candidate, reports: Mapping[str, Training]) -> Row:
        """Return the row of a candidate with the accuracies of its trainings."""
        latency = measure_latency(
            self._build(candidate),
            self._distillation.data.shape,
            device=self._distillation.device,
        )
        accuracies = {loss: report.test for loss, report in reports.items()}
        return Row(label, candidate.name, candidate.costs, latency, candidate.score, accuracies)

    def _build(self, candidate: Candidate) -> nn.Module:
        with torch_seed(seed_for(self._seed, "student", candidate.key)):
            return candidate.build()
