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
    """What is known of one architecture.

    Attributes:
        architecture: the point of the search space.
        name: the architecture as text.
        key: names the network that it builds; no key is evaluated twice.
        costs: parameters, multiply-adds, and what else was asked for.
        terms: what each term of the scorer gave in each repeat.
        seconds: how long the evaluation took.
        worker: which process it took place in.
        failure: why there is no score, if so.
        violation: by how much costs are over budget, relative to the limits; such a
            candidate is not scored.
        score: the terms combined, higher is better; `None` where there is none.
        builder: makes its network; takes `seed`.
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
        said = f"failed: {self.failure}" if self.failure else score
        return f"{self.name} ({said}; {self.params:,} parameters, {self.macs:,} MACs)"

    @property
    def params(self) -> int:
        """Number of parameters."""
        return self.costs.params

    @property
    def macs(self) -> int:
        """Multiply-adds of one input."""
        return self.costs.macs

    @property
    def within_budget(self) -> bool:
        """Whether its costs are within every limit."""
        return self.violation == 0

    @property
    def means(self) -> dict[str, float]:
        """Each term's mean over the repeats."""
        return {name: fmean(values) for name, values in self.terms.items()}

    def build(self, *, seed: int | None = None) -> nn.Module:
        """Return its network, freshly initialized; the network carries where it came from.

        Args:
            seed: the seed of its weights; by default torch's global generators draw them.

        Raises:
            SpaceError: its space is not known (a run read without it), or the supernet that it
                is cut out of.
        """
        if self.builder is None:
            raise SpaceError(
                f"the space of {self.name} is not known: read the run with load_run(…, space=…); "
                "students of a supernet are made by resuming the run"
            )
        return self.builder(seed=seed)

    def merit(self) -> tuple[float, int, int, str]:
        """Sort key, better is larger: the score, then cheapness."""
        score = float("-inf") if self.score is None else self.score
        return score, -self.params, -self.macs, self.name

    def to_json(self) -> dict[str, Any]:
        """Return the candidate as plain values."""
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
