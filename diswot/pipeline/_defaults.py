"""Defaults of a run that depend on each other: space, budget and short trainings."""

from collections.abc import Mapping
from typing import Any

from diswot.options import DEFAULT_METHOD
from diswot.search import Budget
from diswot.tasks import find_subject

DEFAULT_BUDGET = Budget(params=300_000)
"""Budget of a run that names its teacher, space or data."""


def with_defaults(
    teacher: Any, space: Any, *, budget: Budget | None, options: Mapping[str, Any]
) -> tuple[Any, Budget, dict[str, Any]]:
    """Return space, budget and options of a run, with defaults where they were not given.

    A run that names neither teacher, space nor data has the defaults of its task's
    `demonstration`, if it trains students one by one.

    Args:
        teacher: the given teacher; `None` without one.
        space: the given space; `None` without one.
        budget: the given limits; `None` without any.
        options: the other options of the run, by name.

    Examples:
        >>> space, budget, options = with_defaults(None, None, budget=None, options={})
        >>> space, budget.params, options
        ('thin', 10000, {'trainings': 20})
        >>> space, budget, options = with_defaults(None, "s0", budget=None, options={})
        >>> space, budget.params, options
        ('s0', 300000, {})
    """
    chosen = dict(options)
    named = any(given is not None for given in (teacher, space, chosen.get("data")))
    other_method = chosen.get("method") not in (None, DEFAULT_METHOD)
    demonstration = None if named or other_method else find_subject(chosen).task.demonstration
    if demonstration is None:
        return space, budget or DEFAULT_BUDGET, chosen
    if chosen.get("trainings") is None and chosen.get("train_budget") is None:
        chosen["trainings"] = demonstration.trainings
    return demonstration.space, budget or Budget(params=demonstration.max_params), chosen
