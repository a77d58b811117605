"""Check the options of a run before data are read."""

from pathlib import Path
from typing import Unpack, cast

from torch import nn

from diswot.errors import OptionError
from diswot.export import require_onnx
from diswot.options import (
    DEFAULT_METHOD,
    DistillationOptions,
    RunOptions,
    ScoringOptions,
    options_of,
)
from diswot.pipeline._defaults import with_defaults
from diswot.pipeline._method import takes_run_options, with_method
from diswot.runs.folder import check_new_folder
from diswot.search import Budget, SearchSettings, check_scoring, settled
from diswot.tasks import find_subject
from diswot.training import check_distillation
from search_spaces import SearchSpace


@takes_run_options
def check_run(
    teacher: str | nn.Module | None = None,
    space: str | SearchSpace | None = None,
    *,
    budget: Budget | None = None,
    out: str | Path | None,
    **options: Unpack[RunOptions],
) -> SearchSettings:
    """Check the options of a run before data are read; return the settings of its search.

    Args:
        teacher: as for `run`.
        space: as for `run`.
        budget: upper limits on what a student may cost; `None` for the default.
        out: the run folder, which must be new or empty.
        **options: options of `run`.

    Raises:
        DiswotError: a name does not exist, or options contradict each other.
    """
    if out is not None:
        check_new_folder(Path(out))
    if options.get("onnx"):
        require_onnx()
    space, limits, chosen = with_defaults(teacher, space, budget=budget, options=options)
    method, own, known = with_method(chosen)
    options = cast(RunOptions, known)
    settings, _, _ = settled(limits, options)
    wanted, engine = options.get("shortlist", 1), settings.engine
    if wanted > 1 and settings.trainings.divided:
        raise OptionError(
            f"--shortlist {wanted} and --train-budget {settings.trainings} exclude each "
            "other: the budget says how many students are trained on"
        )
    if engine.name != "exhaustive" and wanted > engine.total:
        raise OptionError(
            f"--shortlist {wanted} is more than the {engine.total:,} candidates of a search with "
            f"population {engine.population} and {engine.generations} generations: take fewer, or "
            "search more"
        )
    if settings.trainings and method.name != DEFAULT_METHOD:
        raise OptionError(
            f"--method {method.name} does not train students one by one before it ranks them, so "
            "there are no short trainings: leave --trainings and --train-budget out"
        )
    subject = find_subject(options, teacher=teacher, space=space)
    method.check(subject.task, {**options, **own})
    subject.check()
    compared = options_of(ScoringOptions, options)
    compared.pop("teacher_state", None)  # a run trains the teacher itself if weights are needed
    check_scoring(subject.teacher, subject.space, **cast(ScoringOptions, compared))
    trained = cast(DistillationOptions, options_of(DistillationOptions, options))
    check_distillation(subject.teacher, data=subject.data, **trained)
    return settings
