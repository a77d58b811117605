"""`run`: search, distill the winner, compare with baselines, export."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Unpack, cast

from torch import nn

from diswot.bars import displayed
from diswot.devices import find_device
from diswot.export import onnx_available
from diswot.methods import Assignment, RunMethod, WholeRun, Workshop
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
from diswot.pipeline._defaults import with_defaults
from diswot.pipeline._exportable import check_exportable
from diswot.pipeline._make_students import MakeStudents
from diswot.pipeline._method import takes_run_options, with_method
from diswot.pipeline._report import RunReport
from diswot.pipeline._run_checks import check_run
from diswot.pipeline._short_trainings import trained_briefly
from diswot.pipeline._stage import Run, run_stages
from diswot.pipeline._stages import main_job
from diswot.pipeline._students import TrainingSetup
from diswot.pipeline._whole import started
from diswot.progress import Progress
from diswot.runs import working_in
from diswot.scorers import find_scorer
from diswot.search import (
    Budget,
    SearchResult,
    check_batch_size,
    check_search,
    find_space,
    search,
)
from diswot.tasks import data_root as find_root
from diswot.tasks import find_subject
from diswot.training import recipe_options, teacher_epochs
from search_spaces import SearchSpace

TRAINING = (
    *(name for name in declared(RecipeOptions) if name != "seed"),
    *("teacher_epochs", "flips", "teacher_view", "force"),
)
"""Options of trainings that the manifest of a run records."""


@takes_run_options
def run(
    teacher: str | nn.Module | None = None,
    space: str | SearchSpace | None = None,
    *,
    budget: Budget | None = None,
    out: str | Path,
    progress: Progress | bool | None = None,
    **options: Unpack[RunOptions],
) -> RunReport | Any:
    """Search a student, distill it, compare it with baselines, and export the best choice.

    The winner of the search is trained three times from the same initialization with the same
    batches: without the teacher, distilled (DisWOT), and distilled with the similarity losses
    (DisWOT†). The largest, the smallest and a random student are distilled for comparison,
    unless `compare=False`. Exported is the smallest student whose validation metric does not
    differ significantly from the best one (95 % interval of the paired difference); the
    report's `verdict` explains the choice.

    Args:
        teacher: a built-in name, `package.module:callable`, or a network; by default the
            task's default teacher.
        space: a built-in name, `package.module:Class`, or a space; by default the task's
            default space.
        budget: upper limits on what a student may cost; by default 300,000 parameters. If
            neither teacher, space nor data are given, images have the space `thin`, 10,000
            parameters and 20 short trainings by default.
        out: the run folder, new or empty.
        progress: a callback for every step, or `False` for none; by default progress bars are
            drawn if standard error is a terminal or this is a notebook.
        **options: see [`SearchOptions`][diswot.search.SearchOptions] and
            [`DistillationOptions`][diswot.training.DistillationOptions].

    Returns:
        The result of the search, the trainings, the verdict and the exported files; or the
        [`WholeReport`][diswot.methods.WholeReport] of a method with its own stages, such as
        `federated`.

    Raises:
        DiswotError: a name does not exist, options contradict each other, or teacher, space
            and data do not fit together.
        BudgetError: no architecture of the space is within the budget.
        RunError: every candidate failed, or a loss is not finite.
    """
    with displayed(progress) as report:
        settings = check_run(teacher, space, budget=budget, out=out, **options)
        space, limits, chosen = with_defaults(teacher, space, budget=budget, options=options)
        method, own, known = with_method(chosen)
        options = cast(RunOptions, known)
        folder, job = Path(out), filled(JobOptions, options_of(JobOptions, options))
        if settings.latency is not None and job["onnx"] is False and options.get("latency") is None:
            options["latency"] = EAGER  # measure the format that will be exported
        with working_in(folder):
            subject = find_subject(options, teacher=teacher, space=space)
            data, space = subject.load(report), subject.space
            if isinstance(method, WholeRun):
                known = {**subject.without_own(options), "data_root": subject.root}
                return started(
                    method, Assignment(folder, data, teacher, space, limits, known, own, report)
                )
            teacher = subject.teacher
            options = cast(RunOptions, {**subject.without_own(options), "data": data})
            subject.task.prepared(data, options)  # raise errors before the search, not after it
            check_exportable(space, options["data"].signature, onnx=job["onnx"], progress=report)
            if job["onnx"] is None:
                job["onnx"] = onnx_available() or None
            job |= {**_training_of(teacher, options), **method.recorded(own)}
            settings.trainings.plan(job["epochs"])  # raise errors before the search, not after it
            if (batch_size := options.get("batch_size")) is not None:
                check_batch_size(data, batch_size, split=method.scored_on)
            search = _Search(teacher, space, limits, options, method, own)
            students = MakeStudents(method, partial(workshop_of, space, options, own))
            stages = main_job(search.start, students, teacher_first=search.needs_teacher)
            setup = TrainingSetup(teacher, options, report, method=method, own=own)
            return run_stages(stages, Run(folder, setup, job))


def workshop_of(
    space: str | SearchSpace, options: Mapping[str, Any], own: Mapping[str, Any], run: Run
) -> Workshop:
    """Return everything from which the method of a run makes its students.

    Args:
        space: a name, `package.module:Class`, or a space.
        options: options of the run, with the loaded data.
        own: options of the method.
        run: the run, which gives the trained teacher.
    """
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
    """Return the settings of the trainings, with defaults filled in."""
    used: dict[str, Any] = {name: options.get(name) for name in TRAINING}
    used["force"] = bool(used["force"])
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
    """The search of a run.

    Attributes:
        teacher: a name, `package.module:callable`, or a network.
        space: a name, `package.module:Class`, or a space.
        budget: upper limits on what a student may cost.
        options: options of the run, with the loaded data.
        method: the method of the run.
        own: options of the method, including defaults.
    """

    teacher: str | nn.Module
    space: str | SearchSpace
    budget: Budget
    options: RunOptions
    method: RunMethod
    own: Mapping[str, Any]

    @property
    def asked(self) -> SearchOptions:
        """The options that belong to the search."""
        data = self.method.searched(self.options["data"], self.own)
        return cast(SearchOptions, {**options_of(SearchOptions, self.options), "data": data})

    @cached_property
    def needs_teacher(self) -> bool:
        """Whether the search needs the teacher's trained weights.

        Raises:
            DiswotError: the search has an error, which is raised before the teacher is trained.
        """
        scorer = find_scorer(self.options.get("scorer", DEFAULT_SCORER))
        state = self.options.get("teacher_state") or scorer.card.teacher_state
        if state != "trained" and not self.method.needs_teacher:
            return False
        sources = self.options["data"].task.teacher_sources
        if not sources.has_weights(self.teacher, self.options.get("teacher_weights")):
            check_search(self.teacher, self.space, budget=self.budget, **self.asked)
        return True

    def start(self, run: Run) -> SearchResult:
        """Search in a new folder, then run the short trainings if there is a budget for them."""
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
