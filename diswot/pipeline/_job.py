"""The main job: search, distill the winner, compare, export."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeGuard, Unpack, cast

from torch import nn

from diswot.bars import displayed
from diswot.errors import DiswotError, RunFolderError
from diswot.export import onnx_available, require_onnx
from diswot.options import (
    DEFAULT_SCORER,
    EAGER,
    DistillationOptions,
    JobOptions,
    RecipeOptions,
    ResumeOptions,
    RunOptions,
    SearchOptions,
    declared,
    filled,
    options_of,
    takes_options,
)
from diswot.pipeline._asked_for import check_run
from diswot.pipeline._exportable import check_exportable
from diswot.pipeline._report import RunReport
from diswot.pipeline._stage import Run, known_result, run_stages
from diswot.pipeline._stages import main_job
from diswot.pipeline._students import TrainingSetup
from diswot.progress import Progress
from diswot.runs import working_in
from diswot.scorers import find_scorer
from diswot.search import (
    Budget,
    SearchResult,
    check_resume,
    check_search,
    data_again,
    read_manifest,
    restored_option,
    search,
    task_of,
)
from diswot.search import resume as resume_search
from diswot.tasks import find_subject, takes_task_options
from diswot.training import recipe_options, teacher_epochs
from search_spaces import SearchSpace

DEFAULT_BUDGET = Budget(params=300_000)
_TRAINING = (
    *(name for name in declared(RecipeOptions) if name != "seed"),
    *("teacher_epochs", "flips", "teacher_view", "force", "tensorboard"),
)
"""What a manifest keeps of how the main job trains."""


@takes_task_options
def run(
    teacher: str | nn.Module | None = None,
    space: str | SearchSpace | None = None,
    *,
    budget: Budget = DEFAULT_BUDGET,
    out: str | Path,
    progress: Progress | bool | None = None,
    **options: Unpack[RunOptions],
) -> RunReport:
    """Search a student for the teacher, distill it, compare it with baselines, export one.

    The winner is trained three times from the same initialization with the same batches:
    alone, distilled from the teacher (DisWOT), and with the similarity losses too (DisWOT†).
    Largest, smallest and random student are distilled like it; with `compare=False` none of them
    is trained, and the verdict says so. The smallest of those that are as good as the best, within
    the interval of their difference on the validation split, is exported; `verdict` says why.

    Args:
        teacher: a built-in name, `package.module:callable`, or a network; by default the task's.
        space: a built-in name, `package.module:Class`, or a space; by default the task's.
        budget: what a student may cost; by default 300,000 parameters.
        out: the run folder.
        progress: a function that gets a message for every step, or `False` for nothing; by
            default bars are drawn where standard error is a terminal, or in a notebook.
        **options: see [`SearchOptions`][diswot.search.SearchOptions] and
            [`DistillationOptions`][diswot.training.DistillationOptions].

    Raises:
        DiswotError: something that was asked for does not exist or does not fit.
        RunError: every candidate failed, or a loss is not finite.
    """
    with displayed(progress) as report:
        settings = check_run(teacher, space, budget=budget, out=out, **options)
        folder, job = Path(out), filled(JobOptions, options_of(JobOptions, options))
        if settings.latency is not None and job["onnx"] is False and options.get("latency") is None:
            options["latency"] = EAGER  # the form that will be exported
        with working_in(folder):
            subject = find_subject(options, teacher=teacher, space=space)
            teacher, space = subject.teacher, subject.space
            data = subject.load(report)
            options = cast(RunOptions, {**subject.without_own(options), "data": data})
            subject.task.prepared(data, options)  # what does not fit is refused before the search
            check_exportable(space, options["data"].signature, onnx=job["onnx"], progress=report)
            if job["onnx"] is None:
                job["onnx"] = onnx_available() or None
            job |= _training_of(teacher, options)
            search = _Search(teacher, space, budget, options)
            stages = main_job(search.start, teacher_first=search.needs_teacher)
            return run_stages(stages, Run(folder, TrainingSetup(teacher, options, report), job))


def _training_of(teacher: str | nn.Module, options: RunOptions) -> dict[str, Any]:
    """Return the settings of the trainings, defaults in place of what was left open."""
    used: dict[str, Any] = {name: options.get(name) for name in _TRAINING}
    used |= {name: bool(used[name]) for name in ("force", "tensorboard")}
    used["teacher_view"] = used["teacher_view"] or "auto"
    if used["flips"] is None:
        used["flips"] = getattr(options["data"], "flips", None)
    recipe = recipe_options(options["data"], used)
    used |= {name: value for name, value in recipe.items() if name in used}
    sources = options["data"].task.teacher_sources
    if not sources.has_weights(teacher, options.get("teacher_weights")):
        used["teacher_epochs"] = used["teacher_epochs"] or teacher_epochs(used["epochs"])
    return used


@dataclass(frozen=True)
class _Search:
    """A search that is asked for, as a part of the main job."""

    teacher: str | nn.Module
    space: str | SearchSpace
    budget: Budget
    options: RunOptions

    @property
    def asked(self) -> SearchOptions:
        """The options of the search alone."""
        return cast(SearchOptions, options_of(SearchOptions, self.options))

    @cached_property
    def needs_teacher(self) -> bool:
        """Whether scores see the teacher with its weights.

        Raises:
            DiswotError: the teacher may have to be trained for a search that cannot be.
        """
        scorer = find_scorer(self.options.get("scorer", DEFAULT_SCORER))
        if (self.options.get("teacher_state") or scorer.card.teacher_state) != "trained":
            return False
        if self.teacher in self.options["data"].task.teacher_sources.built_in:
            check_search(self.teacher, self.space, budget=self.budget, **self.asked)
        return True

    def start(self, run: Run) -> SearchResult:
        """Search in a new folder."""
        return search(
            run.setup.trained_teacher() if self.needs_teacher else self.teacher,
            self.space,
            budget=self.budget,
            out=run.folder,
            job=run.job,
            progress=run.setup.progress,
            **self.asked,
        )


@takes_options
def resume(
    folder: str | Path, *, progress: Progress | bool | None = None, **options: Unpack[ResumeOptions]
) -> "RunReport | SearchResult":
    """Resume what stopped in a run folder: a search, or the main job with all its stages.

    A training that ended is not repeated; one that did not resumes from its checkpoint.

    Args:
        folder: the run folder.
        progress: a function that gets a message for every step, or `False` for nothing; by
            default bars are drawn where standard error is a terminal, or in a notebook.
        **options: see [`ResumeOptions`][diswot.search.ResumeOptions].

    Raises:
        DiswotError: it is no run folder, is damaged, or something does not fit.
        RunError: every candidate failed, or a loss is not finite.
    """
    with displayed(progress) as report:
        path = Path(folder)
        read_manifest(path)  # what is no run folder is not locked
        with working_in(path):
            manifest = read_manifest(path)
            job = _job_of(manifest, path)
            if job is None:
                return resume_search(path, progress=report, **options)
            return _resume_job(path, manifest, options, job=job, progress=report)


def _resume_job(
    folder: Path,
    manifest: Mapping[str, Any],
    options: ResumeOptions,
    *,
    job: Mapping[str, Any],
    progress: Progress,
) -> RunReport:
    """Resume the search of a main job, then its trainings and the export."""
    if job["onnx"]:
        require_onnx()
    check_resume(folder, manifest, **options)
    settings = manifest["settings"]
    known = task_of(settings, options.get("task"), data=options.get("data")).teacher_sources
    teacher = restored_option("teacher", settings["teacher"], options.get("teacher"), known)
    options["data"] = data_again(
        settings,
        options.get("data"),
        task=options.get("task"),
        image_size=options.pop("image_size", None),
        data_root=options.get("data_root"),
        progress=progress,
    )
    if options.get("data_root") is None and options["data"].source is not None:
        options["data_root"] = options["data"].source.root
    setup = TrainingSetup(
        teacher, {**options, **_training_options_of(settings, job, options)}, progress
    )
    needs_teacher = settings["teacher_state"] == "trained"

    def again(run: Run) -> SearchResult:
        if needs_teacher:
            options["teacher"] = run.setup.trained_teacher()
        return resume_search(folder, progress=progress, **options)

    stages = main_job(again, teacher_first=needs_teacher)
    return run_stages(stages, Run(folder, setup, job, known_result(folder)))


def _training_options_of(
    settings: Mapping[str, Any], job: Mapping[str, Any], options: ResumeOptions
) -> dict[str, Any]:
    """Return how a manifest says that students are trained; options come first where they may."""
    used = {
        "task": options["data"].task.name,
        "seed": settings["seed"],
        "teacher_classes": settings.get("teacher_classes"),
    }
    used |= {name: job[name] for name in _TRAINING}
    return used | {
        "teacher_weights": options.get("teacher_weights") or settings["teacher_weights"],
        "device": options.get("device") or settings["device"],
    }


def _job_of(manifest: Mapping[str, Any], folder: Path) -> Mapping[str, Any] | None:
    """Return what the main job was asked for in addition to a search; `None` of a search alone."""
    job = manifest.get("job", {})
    if job is None:
        return None
    if isinstance(job, dict):
        job = {"teacher_view": "student", **job}  # before there was a choice, it was that
    if not _is_job(job):
        raise RunFolderError(
            f"{folder / 'manifest.json'} is damaged (job is {job!r}): restore it from a copy"
        )
    return job


def _is_job(job: Any) -> TypeGuard[Mapping[str, Any]]:
    try:
        for kind in (JobOptions, DistillationOptions):
            for name, option in declared(kind).items():
                if kind is JobOptions or name in _TRAINING:
                    option.checked(job[name])
    except (DiswotError, KeyError, TypeError):
        return False
    return True
