"""The main job: search, distil the winner, compare, export."""

import copy
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Unpack, cast, get_type_hints

from torch import nn

from diswot.data import DATASETS, load_data
from diswot.distillation import (
    Accuracy,
    Distillation,
    DistillationOptions,
    RecipeOptions,
    TrainedTeacher,
    Training,
    prepare_distillation,
)
from diswot.errors import RunFolderError
from diswot.export import Exported, export, require_onnx
from diswot.latency import time_network
from diswot.progress import Progress, news, silent
from diswot.run_folder import check_new_folder, write_json
from diswot.scorers import find_scorer
from diswot.search import (
    Budget,
    Candidate,
    Costs,
    SearchOptions,
    SearchResult,
    check_space,
    find_space,
    measure_costs,
    options_of,
    read_manifest,
    search,
    told_again,
)
from diswot.search import resume as resume_search
from diswot.seeding import generator_for, seed_for, torch_seed
from diswot.teachers import TEACHERS, Teacher
from search_spaces import SearchSpace

DEFAULT_BUDGET = Budget(params=300_000)
LOSSES = ("alone", "diswot", "diswot-dagger")
_TRAINING = {
    **{name: kind | int for name, kind in get_type_hints(RecipeOptions).items() if name != "seed"},
    "teacher_epochs": int | None,
    "force": bool,
    "tensorboard": bool,
}
_JOB = {"compare": bool, "onnx": bool | None, **_TRAINING}
"""What a manifest keeps of the main job, and what it must be."""


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


class RunOptions(SearchOptions, DistillationOptions, total=False):
    """The options of `search` and of `distill`; those that both have are given once."""


def run(
    teacher: str | nn.Module = "resnet56",
    space: str | SearchSpace = "s0",
    *,
    budget: Budget = DEFAULT_BUDGET,
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
        compare: whether to distil the plain choices too (largest, smallest, random).
        onnx: whether to export ONNX; by default if the extra `onnx` is installed.
        out: the run folder.
        progress: told of every candidate and epoch.
        **options: see [`SearchOptions`][diswot.search.SearchOptions] and
            [`DistillationOptions`][diswot.distillation.DistillationOptions].

    Raises:
        DiswotError: something that was asked for does not exist or does not fit.
        RunError: every candidate failed, or a loss is not finite.
    """
    folder = Path(out)
    check_new_folder(folder)
    if onnx:
        require_onnx()
    options["data"] = load_data(
        options.get("data", "digits"),
        root=options.get("data_root"),
        image_size=options.pop("image_size", None),
        progress=progress,
    )
    job = {
        "compare": compare,
        "onnx": onnx,
        **{
            name: options.get(name, False if kind is bool else None)
            for name, kind in _TRAINING.items()
        },
    }
    lessons = _Lessons(teacher, options, progress)
    scored: str | nn.Module | Teacher = teacher
    if options.get("teacher_state") == "trained":
        # the teacher is trained first, so what the search would refuse is found out before
        find_scorer(options.get("scorer", "diswot"))
        images = options["data"].spec
        check_space(find_space(space, in_channels=images.shape[0]), images, generator_for("check"))
        scored = lessons.trained_teacher()
    result = search(
        scored,
        space,
        budget=budget,
        out=folder,
        job=job,
        progress=progress,
        **cast(SearchOptions, options_of(SearchOptions, options)),
    )
    return _finished(result, lessons, folder, job)


def resume(
    folder: str | Path, *, progress: Progress = silent, **options: Any
) -> "RunReport | SearchResult":
    """Go on with what stopped in a run folder: a search, or the main job with all its stages.

    A training that ended is not begun again; one that did not goes on from its checkpoint.

    Args:
        folder: the run folder.
        progress: told of every candidate and epoch.
        **options: those of [`search.resume`][diswot.search.resume].

    Raises:
        DiswotError: it is no run folder, is damaged, or something does not fit.
        RunError: every candidate failed, or a loss is not finite.
    """
    path = Path(folder)
    manifest = read_manifest(path)
    job, settings = _job_of(manifest, path), manifest["settings"]
    if job is None:
        return resume_search(path, progress=progress, **options)
    teacher = told_again("teacher", settings["teacher"], options.get("teacher"), TEACHERS)
    data = told_again("data", settings["data"], options.get("data"), DATASETS)
    size = options.pop("image_size", None)
    options["data"] = load_data(
        data, root=options.get("data_root"), image_size=size, progress=progress
    )
    known = {name: options.get(name) or settings[name] for name in ("teacher_weights", "device")}
    known |= {name: job[name] for name in _TRAINING}
    lessons = _Lessons(teacher, {**options, **known, "seed": settings["seed"]}, progress)
    if settings["teacher_state"] == "trained":
        options["teacher"] = lessons.trained_teacher()
    result = resume_search(path, progress=progress, **options)
    return _finished(result, lessons, path, job)


def _job_of(manifest: Mapping[str, Any], folder: Path) -> Mapping[str, Any] | None:
    """Return what the main job was asked for besides a search; `None` of a search alone."""
    job = manifest.get("job", {})
    if job is None:
        return None
    if not isinstance(job, dict) or any(
        not isinstance(job.get(name, "missing"), kind) for name, kind in _JOB.items()
    ):
        raise RunFolderError(
            f"{folder / 'manifest.json'} is damaged (job is {job!r}): restore it from a copy"
        )
    return job


class _Lessons:
    """What students are trained with, prepared when it is first needed."""

    def __init__(
        self, teacher: str | nn.Module | Teacher, options: Mapping[str, Any], progress: Progress
    ) -> None:
        self._teacher = teacher
        self._options = options
        self.seed: int = options.get("seed", 0)
        self.progress = progress

    @cached_property
    def distillation(self) -> Distillation:
        """The teacher with weights, trained now where it has none, the data and the recipe."""
        return prepare_distillation(
            self._teacher,
            data=self._options["data"],
            progress=self.progress,
            **cast(DistillationOptions, options_of(DistillationOptions, self._options)),
        )

    def trained_teacher(self) -> Teacher:
        """Return the teacher with its weights."""
        return cast(TrainedTeacher, self.distillation.teacher).source  # one is always given


def _finished(
    result: SearchResult, lessons: _Lessons, folder: Path, job: Mapping[str, Any]
) -> RunReport:
    """Train the winner and what it is compared with, export it, and write the report."""
    students = _Students(lessons.distillation, folder / "distill", lessons.seed, lessons.progress)
    trained = {loss: students.train(result.best, loss) for loss in LOSSES}
    reports = {loss: training.report for loss, training in trained.items()}
    rows = (
        *students.teacher_rows(),
        students.row("winner", result.best, reports),
        *(
            students.plain_row(label, choice, compare=job["compare"])
            for label, choice in result.plain_choices.items()
        ),
    )
    shipped = max(LOSSES[1:], key=lambda loss: reports[loss].val.correct)
    students.progress(news("export", "writing the student, and running every form of it"))
    shutil.rmtree(folder / "student", ignore_errors=True)  # of a run that was stopped
    exported = export(trained[shipped].network, folder / "student", onnx=job["onnx"])
    report = RunReport(result, rows, reports, exported, shipped, folder)
    write_json(folder / "result.json", report.to_json())
    return report


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
        """Train a fresh network of `candidate`, unless that was done; `label` names its folder."""
        student, folder = self._build(candidate), self._folder / (label or loss)
        training = self._distillation.trained_before(student, folder)
        if training is None:
            training = self._distillation.train(
                student,
                loss=loss,
                folder=folder,
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
                self._milliseconds(teacher.network),
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
        latency = self._milliseconds(self._build(candidate))
        accuracies = {loss: report.test for loss, report in reports.items()}
        return Row(label, candidate.name, candidate.costs, latency, candidate.score, accuracies)

    def _milliseconds(self, network: nn.Module) -> float:
        shape, device = self._distillation.data.shape, self._distillation.device
        return time_network(network, shape, device=device).median_ms

    def _build(self, candidate: Candidate) -> nn.Module:
        with torch_seed(seed_for(self._seed, "student", candidate.key)):
            return candidate.build()
