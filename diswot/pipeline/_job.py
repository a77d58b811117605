"""The main job: search, distill the winner, compare, export."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Unpack, cast

from torch import nn

from diswot.bars import displayed
from diswot.devices import find_device
from diswot.export import onnx_available
from diswot.methods import RunMethod, Workshop
from diswot.options import (
    DEFAULT_SCORER,
    EAGER,
    JobOptions,
    RecipeOptions,
    RunOptions,
    SearchOptions,
    declared,
    filled,
    options_of,
)
from diswot.pipeline._asked_for import check_run
from diswot.pipeline._exportable import check_exportable
from diswot.pipeline._make_students import MakeStudents
from diswot.pipeline._method import takes_run_options, with_method
from diswot.pipeline._report import RunReport
from diswot.pipeline._short_trainings import trained_briefly
from diswot.pipeline._stage import Run, run_stages
from diswot.pipeline._stages import main_job
from diswot.pipeline._students import TrainingSetup
from diswot.progress import Progress
from diswot.runs import working_in
from diswot.scorers import find_scorer
from diswot.search import (
    Budget,
    SearchResult,
    check_search,
    find_space,
    search,
)
from diswot.tasks import data_root as find_root
from diswot.tasks import find_subject
from diswot.training import recipe_options, teacher_epochs
from search_spaces import SearchSpace

DEFAULT_BUDGET = Budget(params=300_000)
TRAINING = (
    *(name for name in declared(RecipeOptions) if name != "seed"),
    *("teacher_epochs", "flips", "teacher_view", "force", "tensorboard"),
)
"""What a manifest keeps of how the main job trains."""


@takes_run_options
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
        method, own, known = with_method(options)
        options = cast(RunOptions, known)
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
            job |= {**_training_of(teacher, options), **own}
            settings.trainings.plan(job["epochs"])  # what does not fit is refused before the search
            search = _Search(teacher, space, budget, options, method)
            students = MakeStudents(method, partial(workshop_of, space, options, own))
            stages = main_job(search.start, students, teacher_first=search.needs_teacher)
            return run_stages(stages, Run(folder, TrainingSetup(teacher, options, report), job))


def workshop_of(
    space: str | SearchSpace, options: Mapping[str, Any], own: Mapping[str, Any], run: Run
) -> Workshop:
    """Return what the method of a run makes students with."""
    data = options["data"]
    return Workshop(
        run.setup.trained_teacher,
        find_space(space, data.signature),
        data,
        find_root(options.get("data_root")),
        find_device(options.get("device")),
        run.setup.seed,
        own,
        run.setup.progress,
    )


def _training_of(teacher: str | nn.Module, options: RunOptions) -> dict[str, Any]:
    """Return the settings of the trainings, defaults in place of what was left open."""
    used: dict[str, Any] = {name: options.get(name) for name in TRAINING}
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
    method: RunMethod

    @property
    def asked(self) -> SearchOptions:
        """The options of the search alone."""
        data = self.method.searched(self.options["data"])
        return cast(SearchOptions, {**options_of(SearchOptions, self.options), "data": data})

    @cached_property
    def needs_teacher(self) -> bool:
        """Whether scores see the teacher with its weights.

        Raises:
            DiswotError: the teacher may have to be trained for a search that cannot be.
        """
        scorer = find_scorer(self.options.get("scorer", DEFAULT_SCORER))
        state = self.options.get("teacher_state") or scorer.card.teacher_state
        if state != "trained" and not self.method.needs_teacher:
            return False
        if self.teacher in self.options["data"].task.teacher_sources.built_in:
            check_search(self.teacher, self.space, budget=self.budget, **self.asked)
        return True

    def start(self, run: Run) -> SearchResult:
        """Search in a new folder, and train candidates briefly where that was asked for."""
        return trained_briefly(run, self._searched(run), self.asked)

    def _searched(self, run: Run) -> SearchResult:
        return search(
            run.setup.trained_teacher() if self.needs_teacher else self.teacher,
            self.space,
            budget=self.budget,
            out=run.folder,
            job=run.job,
            source=run.of(MakeStudents),
            progress=run.setup.progress,
            **self.asked,
        )
