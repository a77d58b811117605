"""The short trainings of a search that is no part of a larger job."""

from collections.abc import Mapping
from typing import Any

from torch import nn

from diswot.errors import OptionError
from diswot.progress import Progress
from diswot.search._result import SearchResult
from diswot.search._scoring_context import ScoringContext
from diswot.search._training_budget import TrainingBudget
from diswot.teachers import Teacher
from diswot.training import default_recipe, prepare_distillation


def check_plan(trainings: TrainingBudget, context: ScoringContext, source: object) -> None:
    """Raise what can be said of trainings before the search.

    Raises:
        OptionError: they are longer than a full training, or leave nothing for the winner; or
            students come from a source, whose networks are not trained one by one.
    """
    if trainings and source is not None:
        raise OptionError(
            "Expected no source of students with short trainings, which initialize students "
            "afresh: leave one of them out"
        )
    if trainings:
        trainings.plan(default_recipe(context.data).epochs)


def with_trainings(
    result: SearchResult,
    trainings: TrainingBudget,
    teacher: str | nn.Module | Teacher | None,
    *,
    context: ScoringContext,
    options: Mapping[str, Any],
    workers: int,
    cluster: str | None,
    progress: Progress,
) -> SearchResult:
    """Train candidates of a search briefly, as far as it may; the result is saved again.

    Args:
        result: of the search.
        trainings: what may be spent.
        teacher: whom students are distilled from; trained once where it has no weights.
        context: of the search.
        options: `teacher_weights`, `teacher_classes` and `data_root`, where they are known.
        workers: processes.
        cluster: address of a Dask scheduler.
        progress: called with every step.
    """
    if not trainings:
        return result
    # imported here: searches without trainings need not wait for it
    from diswot.search.few_shot import train_briefly

    settings, data = result.manifest["settings"], context.data
    known = ("teacher_weights", "teacher_classes", "data_root")
    distillation = prepare_distillation(
        teacher,
        data=data,
        progress=progress,
        task=data.task.name,
        seed=settings["seed"],
        device=settings["device"],
        **{name: options[name] for name in known if options.get(name) is not None},
    )
    plan = trainings.plan(distillation.recipe.epochs)
    found = train_briefly(
        result, distillation, plan, workers=workers, cluster=cluster, progress=progress
    )
    found.save()
    return found
