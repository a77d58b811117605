"""The short trainings of a stand-alone search (`diswot run` plans its own)."""

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
    """Check the budget of short trainings before the search.

    Args:
        trainings: the budget.
        context: the scoring context, whose data determine the default recipe.
        source: where students come from; `None` for random initialization.

    Raises:
        OptionError: short trainings are longer than a full one, or leave no epochs for the
            winner; or students come from a supernet, whose weights short trainings ignore.
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
    """Run the short trainings of a search and save its result again.

    Args:
        result: the result of the search.
        trainings: the budget; without any trainings, `result` is returned unchanged.
        teacher: the teacher to distill from; it is trained first if it has no weights.
        context: the scoring context of the search.
        options: `teacher_weights`, `teacher_classes` and `data_root`, if given.
        workers: number of local processes.
        cluster: address of a Dask scheduler, whose workers are used instead.
        progress: called with every step.
    """
    if not trainings:
        return result
    # Imported here to keep searches without trainings fast to start.
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
    short = train_briefly(
        result, distillation, plan, workers=workers, cluster=cluster, progress=progress
    )
    short.save()
    return short
