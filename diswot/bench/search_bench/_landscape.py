"""Measurements of all architectures that a search may find."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from diswot.bench.correlation import scores_of
from diswot.bench.ground_truths import GroundTruth
from diswot.bench.measurement import Measured
from diswot.bench.search_bench._known_space import KnownSpace, RecordedEvaluator
from diswot.errors import BudgetError, OptionError
from diswot.networks.costs import Costs
from diswot.scorers import find_scorer
from diswot.search import Budget
from search_spaces import Architecture, SearchSpace, Signature


@dataclass(frozen=True, eq=False)
class Landscape:
    """Accuracies, costs and terms of a ground truth's architectures, and a budget.

    Attributes:
        truth: name of the ground truth.
        target: column of accuracies.
        space: the truth's search space, or a `KnownSpace` if only a part is measured.
        records: architecture → measurements.
        accuracies: architecture → accuracy in %.
        signature: signature of the networks.
        budget: limits of a candidate's costs.

    Raises:
        BudgetError: no architecture is within the budget.
    """

    truth: str
    target: str
    space: SearchSpace
    records: Mapping[Architecture, Measured]
    accuracies: Mapping[Architecture, float]
    signature: Signature
    budget: Budget

    @classmethod
    def of(
        cls,
        truth: GroundTruth,
        target: str,
        measured: Sequence[Measured],
        *,
        signature: Signature,
        budget: Budget,
    ) -> "Landscape":
        """Build the landscape of one target of a ground truth.

        Raises:
            BudgetError: no architecture is within the budget.
        """
        known = truth.architectures
        whole = len(known) == truth.space.size
        return cls(
            truth.name,
            target,
            truth.space if whole else KnownSpace(truth.space, known),
            dict(zip(known, measured, strict=True)),
            dict(zip(known, map(float, truth.accuracies(target)), strict=True)),
            signature,
            budget,
        )

    def __post_init__(self) -> None:
        if self.affordable:
            return
        arch = min(self.records, key=lambda a: (self.records[a].params, self.records[a].macs))
        least = self.records[arch]
        raise BudgetError(
            f"no architecture meets the budget {self.budget}: of {len(self.records):,}, the "
            f"smallest is {self.space.to_string(arch)} with params {least.params:,}, macs "
            f"{least.macs:,}; allow at least that"
        )

    @property
    def partial(self) -> bool:
        """Whether only a part of the search space is measured."""
        return isinstance(self.space, KnownSpace)

    @cached_property
    def affordable(self) -> list[Architecture]:
        """The architectures within the budget."""
        return [
            arch
            for arch, record in self.records.items()
            if self.budget.allows(Costs(record.params, record.macs))
        ]

    @cached_property
    def networks(self) -> int:
        """Number of distinct (non-isomorphic) networks within the budget."""
        return len({self.space.canonical_key(arch) for arch in self.affordable})

    @cached_property
    def best(self) -> float:
        """Highest accuracy within the budget, in %."""
        return max(self.accuracies[arch] for arch in self.affordable)

    def scored(self, scorer: str) -> "Scored":
        """Score the architectures within the budget.

        Raises:
            OptionError: no architecture within the budget has a score.
        """
        records = [self.records[arch] for arch in self.affordable]
        scores = scores_of(records, scorer)
        if np.isnan(scores).all():
            terms = find_scorer(scorer).terms
            why = next(records[0].failures[term] for term in terms if term in records[0].failures)
            raise OptionError(
                f"{scorer} scores nothing in budget ({why}): leave it out of --scorers"
            )
        sound = map(float, np.where(np.isnan(scores), -np.inf, scores))
        return Scored(self, scorer, dict(zip(self.affordable, sound, strict=True)))


@dataclass(frozen=True, eq=False)
class Scored:
    """A landscape with the scores of one scorer.

    Attributes:
        landscape: the landscape.
        scorer: name or expression of the scorer.
        scores: architecture within the budget → score, −∞ if it failed; ranks in expressions
            are among these architectures.
    """

    landscape: Landscape
    scorer: str
    scores: Mapping[Architecture, float]

    @cached_property
    def top(self) -> Architecture:
        """The architecture with the highest score; of ties the cheapest."""
        costs = self.landscape.records
        return max(
            self.scores,
            key=lambda arch: (self.scores[arch], -costs[arch].params, -costs[arch].macs),
        )

    @cached_property
    def evaluator(self) -> RecordedEvaluator:
        """An evaluator of the recorded scores, for searches."""
        known = self.landscape
        return RecordedEvaluator(
            known.space, find_scorer(self.scorer), known.records, known.signature
        )
