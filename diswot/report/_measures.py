"""What is measured of candidates, how it is called and how it is written."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from diswot.report._numbers import count, milliseconds, percent, signed, size
from diswot.search import Candidate


@dataclass(frozen=True)
class Measure:
    """A cost of a candidate.

    Attributes:
        name: of the cost.
        label: what an axis says, with the unit; `{noun}` stands for an example's name.
        short: what a table says.
        write: a value → text with its unit.
    """

    name: str
    label: str
    short: str
    write: Callable[[float], str]

    def of(self, candidate: Candidate) -> float | None:
        """Return the candidate's cost; `None` where it is not known."""
        value: float | None = getattr(candidate.costs, self.name)
        return value

    def known(self, candidate: Candidate) -> float:
        """Return the candidate's cost, which is known."""
        return float(getattr(candidate.costs, self.name))


MEASURES = (
    Measure("params", "Parameters", "parameters", count),
    Measure("macs", "Multiply-adds of one {noun}", "multiply-adds", count),
    Measure("latency_ms", "Latency of one {noun}, ms", "latency", milliseconds),
    Measure("memory", "Peak activation memory of one {noun}, bytes", "memory", size),
)


def known_measures(candidate: Candidate) -> list[Measure]:
    """Return the costs that are known of a candidate."""
    return [measure for measure in MEASURES if measure.of(candidate) is not None]


def costs(candidate: Candidate) -> dict[str, str]:
    """Return the known costs of a candidate as names and values."""
    return {m.short: m.write(m.known(candidate)) for m in known_measures(candidate)}


def written_score(candidate: Candidate) -> str:
    """Return a candidate's score as text."""
    if candidate.score is None:
        return "failed" if candidate.failure is not None else "–"
    return signed(candidate.score)


def share_of_budget(candidate: Candidate, budget: Mapping[str, object]) -> dict[str, str]:
    """Return for each limit of a budget what share of it a candidate takes."""
    shares = {}
    for measure in known_measures(candidate):
        limit, value = budget.get(measure.name), measure.of(candidate)
        if isinstance(limit, int | float) and limit > 0 and value is not None:
            shares[measure.name] = f"{percent(value / limit)} of {measure.write(limit)}"
    return shares
