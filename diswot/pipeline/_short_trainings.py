"""The short trainings of a main job: those of its search, with its teacher and recipe."""

from collections.abc import Mapping
from typing import Any

from diswot.pipeline._stage import Run
from diswot.search import Plan, SearchResult, TrainingBudget


def plan_of(run: Run, result: SearchResult) -> Plan:
    """Return how the budget of a job's trainings is divided."""
    return TrainingBudget(**result.manifest.get("trainings", {})).plan(run.job["epochs"])


def trained_briefly(run: Run, result: SearchResult, options: Mapping[str, Any]) -> SearchResult:
    """Train candidates of the job's search briefly, if that was asked for.

    Args:
        run: the job.
        result: of its search.
        options: `workers` and `cluster`.
    """
    if not result.manifest.get("trainings"):
        return result
    # imported here: jobs without short trainings need not wait for it
    from diswot.search.few_shot import train_briefly

    found = train_briefly(
        result,
        run.setup.distillation,
        plan_of(run, result),
        workers=options.get("workers") or 1,
        cluster=options.get("cluster"),
        progress=run.setup.progress,
    )
    found.save()
    return found
