"""FLOPs, counted as multiply-accumulate operations: a baseline."""

from diswot.networks.costs import Costs
from diswot.scorers._card import Card
from diswot.scorers._registry import register_cost


@register_cost(
    Card(
        "flops",
        "multiply-adds of one input, a baseline",
        "a count; NAS-Bench-Suite-Zero, NeurIPS 2022, table 1",
        needs_teacher=False,
        cost="nothing",
        supports="any network",
    )
)
def flops(costs: Costs) -> float:
    """Return the MACs of one input, in convolutions, linear layers and matrix products."""
    return costs.macs
