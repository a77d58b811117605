"""The budget: upper limits on what a candidate may cost."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from diswot.networks.costs import Costs
from diswot.options import BudgetOptions, declared, takes_options

_UNITS = {"latency_ms": " ms", "memory": " bytes"}


@takes_options
@dataclass(frozen=True)
class Budget:
    """Upper limits on what a candidate may cost; `None` sets no limit.

    Attributes:
        params: number of parameters.
        macs: multiply-accumulate operations (MACs) of one input.
        latency_ms: milliseconds of one forward pass, as given by the search's latency source.
        memory: peak memory of activations of one input, in bytes at fp32.

    Raises:
        OptionError: a limit is not positive, or (except `latency_ms`) not an integer.

    Examples:
        >>> Budget(params=300_000).allows(Costs(params=278_324, macs=41_000_000))
        True
    """

    params: int | None = None
    macs: int | None = None
    latency_ms: float | None = None
    memory: int | None = None

    def __post_init__(self) -> None:
        options = declared(BudgetOptions)
        for name, limit in self._limits():
            replace(options[f"max_{name}"], name=f"the budget's {name}").checked(limit)

    def allows(self, costs: Costs) -> bool:
        """Return whether `costs` are within every limit; unknown costs (`None`) are ignored."""
        return self.violation(costs) == 0

    def violation(self, costs: Costs) -> float:
        """Return the sum, over exceeded limits, of (cost / limit − 1); 0 within the budget.

        Examples:
            >>> Budget(params=100, macs=1000).violation(Costs(params=150, macs=900))
            0.5
        """
        over = 0.0
        for name, limit in self._limits():
            cost = getattr(costs, name)
            if cost is not None and cost > limit:
                over += cost / limit - 1
        return over

    def _limits(self) -> Iterator[tuple[str, float]]:
        return ((name, limit) for name, limit in vars(self).items() if limit is not None)

    def __str__(self) -> str:
        limits = [f"{name} ≤ {limit:,}{_UNITS.get(name, '')}" for name, limit in self._limits()]
        return " and ".join(limits) or "no limit"
