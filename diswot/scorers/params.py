"""The number of parameters: a baseline."""

from diswot.networks.costs import Costs
from diswot.scorers._card import Card
from diswot.scorers._registry import register_cost


@register_cost(
    Card(
        "params",
        "number of parameters, a baseline",
        "a count; NAS-Bench-Suite-Zero, NeurIPS 2022, table 1",
        needs_teacher=False,
        cost="nothing",
        supports="any network",
    )
)
def params(costs: Costs) -> float:
    """Return the number of parameters."""
    return costs.params
