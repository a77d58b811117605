"""An architecture with its costs and scores."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from statistics import fmean
from typing import Any

from torch import nn

from diswot.errors import SpaceError
from diswot.networks.costs import Costs
from search_spaces import Architecture


@dataclass(frozen=True)
class Candidate:
    """An architecture with its costs and scores.

    Attributes:
        architecture: the point of the search space.
        name: the architecture as text.
        key: canonical key: architectures with the same key build the same network, which is
            evaluated once.
        costs: parameters and MACs, and latency and memory if the search needs them.
        terms: values of each term of the scorer, one per repeat.
        seconds: wall-clock time of the evaluation.
        worker: process that evaluated it, as `host/pid`.
        failure: error message if it could not be scored, else `None`.
        violation: sum of relative excesses over the budget's limits; 0 within the budget.
            Candidates over the budget are not scored.
        score: combination of the terms, higher is better; `None` if it was not scored.
        builder: makes its network; called with the keyword `seed`.
    """

    architecture: Architecture
    name: str
    key: str
    costs: Costs
    terms: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    seconds: float = field(default=0.0, compare=False)
    worker: str = field(default="", compare=False)
    failure: str | None = None
    violation: float = 0.0
    score: float | None = None
    builder: Callable[..., nn.Module] | None = field(default=None, repr=False, compare=False)

    def __str__(self) -> str:
        """Return name, score and size in one line."""
        score = "not scored" if self.score is None else f"score {self.score:.4f}"
        message = f"failed: {self.failure}" if self.failure else score
        return f"{self.name} ({message}; {self.params:,} parameters, {self.macs:,} MACs)"

    @property
    def params(self) -> int:
        """Number of parameters."""
        return self.costs.params

    @property
    def macs(self) -> int:
        """MACs (multiply-accumulate operations) of one input."""
        return self.costs.macs

    @property
    def within_budget(self) -> bool:
        """Whether its costs are within every limit."""
        return self.violation == 0

    @property
    def means(self) -> dict[str, float]:
        """Each term's mean over the repeats."""
        return {name: fmean(values) for name, values in self.terms.items()}

    @property
    def values(self) -> dict[str, float]:
        """Its costs, each term's mean, and its score if it has one, by name."""
        values = {**asdict(self.costs), **self.means, "score": self.score}
        return {name: value for name, value in values.items() if value is not None}

    def build(self, *, seed: int | None = None) -> nn.Module:
        """Return a newly initialized network of the architecture, which carries its origin.

        Args:
            seed: seed of its weights; by default torch's global generators are used.

        Raises:
            SpaceError: the run was read without its search space, or without the supernet
                that students are cut out of.
        """
        if self.builder is None:
            raise SpaceError(
                f"the space of {self.name} is not known: read the run with load_run(…, space=…); "
                "students of a supernet are made by resuming the run"
            )
        return self.builder(seed=seed)

    def merit(self) -> tuple[float, int, int, str]:
        """Sort key, larger is better: the score, then fewer parameters, then fewer MACs."""
        score = float("-inf") if self.score is None else self.score
        return score, -self.params, -self.macs, self.name

    def to_json(self) -> dict[str, Any]:
        """Return the candidate as JSON values, without the network."""
        return {
            "architecture": self.name,
            "key": self.key,
            **asdict(self.costs),
            "terms": {name: list(values) for name, values in self.terms.items()},
            "seconds": self.seconds,
            "worker": self.worker,
            "failure": self.failure,
            "violation": self.violation,
            "score": self.score,
        }
