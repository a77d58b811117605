"""Which of many candidates to look at: the Pareto front, its knee, a diverse shortlist."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from diswot.search._candidate import Candidate

SCORE = "score"
COSTS = ("params", "macs", "latency_ms", "memory")
OBJECTIVES = (SCORE, *COSTS)
"""What candidates can be compared by: the score is to be high, costs are to be low."""

BEST = 0.1
"""Share of the candidates, by score, that a shortlist is drawn from."""


def merits(candidates: Sequence[Candidate], objectives: Sequence[str]) -> NDArray[np.float64]:
    """Return one row for each candidate, one column for each objective, higher is better."""
    return np.array(
        [[merit_of(candidate, name) for name in objectives] for candidate in candidates],
        dtype=float,
    ).reshape(len(candidates), len(objectives))


def merit_of(candidate: Candidate, objective: str) -> float:
    """Return how good a candidate is by one objective, higher is better.

    Raises:
        ValueError: the candidate has no such score or cost.
    """
    value = candidate.score if objective == SCORE else getattr(candidate.costs, objective)
    if value is None:
        raise ValueError(f"{candidate.name} has no {objective}")
    return float(value) if objective == SCORE else -float(value)


def pareto_front(candidates: Sequence[Candidate], objectives: Sequence[str]) -> list[Candidate]:
    """Return the scored candidates that no other one dominates, best score first.

    One dominates another if it is at least as good by every objective, and better by one.
    """
    scored = _scored(candidates)
    values = merits(scored, objectives)
    front: list[int] = []
    left = np.lexsort(-values.T[::-1])
    while len(left):  # nobody is dominated by one who comes later in this order
        first = values[left[0]]
        alike = (values[left] == first).all(axis=1)
        front += map(int, left[alike])
        left = left[~alike & (values[left] > first).any(axis=1)]
    return sorted((scored[place] for place in front), key=Candidate.merit, reverse=True)


def _scored(candidates: Sequence[Candidate]) -> list[Candidate]:
    return [c for c in candidates if c.score is not None and c.within_budget]


def knee(front: Sequence[Candidate], objectives: Sequence[str]) -> Candidate:
    """Return the candidate of a front from which every gain costs most.

    It is the one farthest from the plane through the best of each objective, after each
    objective has been scaled to [0, 1] over the front (Das 1999, "On characterizing the
    'knee' of the Pareto curve", Structural Optimization 18).

    Raises:
        ValueError: the front is empty.
    """
    if not front:
        raise ValueError("Expected a front of at least one candidate, but got none")
    values = merits(front, objectives)
    spread = np.ptp(values, axis=0)
    # Scale each objective to [0, 1]; the distance from the plane grows with the sum.
    scaled = (values - values.min(axis=0)) / np.where(spread > 0, spread, 1.0)
    return front[int(scaled.sum(axis=1).argmax())]


def shortlist(candidates: Sequence[Candidate], count: int) -> list[Candidate]:
    """Return `count` candidates that score well and differ; the best is the first.

    Of the best tenth by score (at least `count` of them) each next one is farthest from
    those already chosen in score, ln parameters and ln multiply-adds, each scaled to [0, 1]
    (farthest-first traversal: Gonzalez 1985, Theoretical Computer Science 38).
    """
    scored = sorted(_scored(candidates), key=Candidate.merit, reverse=True)
    # Good candidates only; then spread over score and costs.
    pool = scored[: max(count, round(BEST * len(scored)))]
    if not pool:
        return []
    points = np.array([[c.score, np.log1p(c.params), np.log1p(c.macs)] for c in pool], dtype=float)
    spread = np.ptp(points, axis=0)
    points = (points - points.min(axis=0)) / np.where(spread > 0, spread, 1.0)
    chosen = [0]
    distances = np.linalg.norm(points - points[0], axis=1)
    while len(chosen) < min(count, len(pool)):
        # Add the point whose nearest chosen point is farthest.
        distances[chosen] = -1.0
        farthest = int(distances.argmax())
        chosen.append(farthest)
        distances = np.minimum(distances, np.linalg.norm(points - points[farthest], axis=1))
    return [pool[place] for place in chosen]
