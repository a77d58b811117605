"""The short trainings of a run, with its teacher and recipe."""

from collections.abc import Mapping
from typing import Any

from diswot.pipeline._stage import Run
from diswot.search import Plan, SearchResult, TrainingBudget


def plan_of(run: Run, result: SearchResult) -> Plan:
    """Return how the budget of a job's trainings is divided, as far as short ones are done."""
    budget = TrainingBudget(**result.manifest.get("trainings", {}))
    return budget.plan(run.job["epochs"], result.trainings)


def trained_briefly(run: Run, result: SearchResult, options: Mapping[str, Any]) -> SearchResult:
    """Run the short trainings of a run, if there is a budget for them.

    Args:
        run: the run.
        result: the result of its search.
        options: the options `workers` and `cluster`.

    Returns:
        `result` with the short trainings, which is also saved.
    """
    if not result.manifest.get("trainings"):
        return result
    # Imported here to keep runs without short trainings fast to start.
    from diswot.search.few_shot import train_briefly

    short = train_briefly(
        result,
        run.setup.distillation,
        plan_of(run, result),
        workers=options.get("workers") or 1,
        cluster=options.get("cluster"),
        progress=run.setup.progress,
    )
    short.save()
    return short
