"""What a candidate may cost."""

from collections.abc import Mapping
from dataclasses import dataclass

from diswot.costs import Costs
from diswot.errors import OptionError


@dataclass(frozen=True)
class Budget:
    """What a candidate may cost at most; `None` sets no limit.

    Raises:
        OptionError: a limit that is no positive whole number.

    Examples:
        >>> Budget(params=300_000).allows(Costs(params=278_324, macs=41_000_000))
        True
    """

    params: int | None = None
    macs: int | None = None

    def __post_init__(self) -> None:
        for name, limit in vars(self).items():
            if limit is not None and (not isinstance(limit, int) or limit < 1):
                raise OptionError(
                    f"Expected the budget's {name} to be a whole number of at least 1, "
                    f"but got {limit!r}"
                )

    def allows(self, costs: Costs) -> bool:
        """Tell whether `costs` are within every limit."""
        limits: Mapping[str, int | None] = vars(self)
        return all(limit is None or getattr(costs, name) <= limit for name, limit in limits.items())

    def __str__(self) -> str:
        limits = [f"{name} ≤ {limit:,}" for name, limit in vars(self).items() if limit is not None]
        return " and ".join(limits) or "no limit"
