"""Costs and scores of candidates with their labels and formats."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from diswot.plots import count
from diswot.report._numbers import milliseconds, percent, signed, size
from diswot.search import Candidate


@dataclass(frozen=True)
class Measure:
    """A cost of candidates with its labels.

    Attributes:
        name: attribute of `Costs`.
        label: label of an axis, with the unit; `{noun}` is replaced by the task's word for one
            example.
        short: label in tables.
        write: formats a value with its unit.
    """

    name: str
    label: str
    short: str
    write: Callable[[float], str]

    def of(self, candidate: Candidate) -> float | None:
        """Return the candidate's cost; `None` if it was not measured."""
        value: float | None = getattr(candidate.costs, self.name)
        return value

    def known(self, candidate: Candidate) -> float:
        """Return the candidate's cost, which must have been measured."""
        return float(getattr(candidate.costs, self.name))


MEASURES = (
    Measure("params", "Parameters", "parameters", count),
    Measure("macs", "Multiply-adds of one {noun}", "multiply-adds", count),
    Measure("latency_ms", "Latency of one {noun}, ms", "latency", milliseconds),
    Measure("memory", "Peak activation memory of one {noun}, bytes", "memory", size),
)


def known_measures(candidate: Candidate) -> list[Measure]:
    """Return the costs that were measured for a candidate."""
    return [measure for measure in MEASURES if measure.of(candidate) is not None]


def costs(candidate: Candidate) -> dict[str, str]:
    """Return the measured costs of a candidate as formatted texts, by label."""
    return {m.short: m.write(m.known(candidate)) for m in known_measures(candidate)}


def written_score(candidate: Candidate) -> str:
    """Return a candidate's score as text."""
    if candidate.score is None:
        return "failed" if candidate.failure is not None else "–"
    return signed(candidate.score)


def share_of_budget(candidate: Candidate, budget: Mapping[str, object]) -> dict[str, str]:
    """Return, for each limit of a budget, the percentage that a candidate uses."""
    shares = {}
    for measure in known_measures(candidate):
        limit, value = budget.get(measure.name), measure.of(candidate)
        if isinstance(limit, int | float) and limit > 0 and value is not None:
            shares[measure.name] = f"{percent(value / limit)} of {measure.write(limit)}"
    return shares
