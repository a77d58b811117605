"""Select among candidates: the Pareto front, its knee, and a diverse shortlist."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from diswot.search._candidate import Candidate

SCORE = "score"
COSTS = ("params", "macs", "latency_ms", "memory")
OBJECTIVES = (SCORE, *COSTS)
"""Objectives of a search: the score is maximized, costs are minimized."""

BEST = 0.1
"""Fraction of the candidates with the highest scores from which a shortlist is chosen."""


def merits(candidates: Sequence[Candidate], objectives: Sequence[str]) -> NDArray[np.float64]:
    """Return the objectives of candidates as (candidates, objectives), higher is better.

    Args:
        candidates: N candidates that have every objective.
        objectives: names of `OBJECTIVES`; costs are negated.
    """
    return np.array(
        [[merit_of(candidate, name) for name in objectives] for candidate in candidates],
        dtype=float,
    ).reshape(len(candidates), len(objectives))


def merit_of(candidate: Candidate, objective: str) -> float:
    """Return one objective of a candidate, with the sign that makes higher better.

    Args:
        candidate: the candidate.
        objective: a name of `OBJECTIVES`.

    Raises:
        ValueError: the candidate has no score, or this cost was not measured.
    """
    value = candidate.score if objective == SCORE else getattr(candidate.costs, objective)
    if value is None:
        raise ValueError(f"{candidate.name} has no {objective}")
    return float(value) if objective == SCORE else -float(value)


def pareto_front(candidates: Sequence[Candidate], objectives: Sequence[str]) -> list[Candidate]:
    """Return the scored candidates that no other one dominates, best score first.

    A candidate dominates another if it is at least as good in every objective and better in one.

    Args:
        candidates: any candidates; those without a score or over the budget are left out.
        objectives: names of `OBJECTIVES`.
    """
    scored = _scored(candidates)
    values = merits(scored, objectives)
    front: list[int] = []
    left = np.lexsort(-values.T[::-1])
    # In lexicographic order, no candidate is dominated by a later one. So the first is on the
    # front, with all equal to it; of the rest, keep those that are better in some objective.
    while len(left):
        first = values[left[0]]
        alike = (values[left] == first).all(axis=1)
        front += map(int, left[alike])
        left = left[~alike & (values[left] > first).any(axis=1)]
    return sorted((scored[index] for index in front), key=Candidate.merit, reverse=True)


def _scored(candidates: Sequence[Candidate]) -> list[Candidate]:
    return [c for c in candidates if c.score is not None and c.within_budget]


def knee(front: Sequence[Candidate], objectives: Sequence[str]) -> Candidate:
    """Return the knee of a Pareto front: improving one objective there costs most of others.

    It is the candidate farthest from the plane through the best of each objective, after each
    objective is scaled to [0, 1] over the front (Das 1999, "On characterizing the 'knee' of
    the Pareto curve", Structural Optimization 18).

    Args:
        front: candidates of a Pareto front.
        objectives: names of `OBJECTIVES`.

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
    """Return `count` diverse candidates with high scores; the best is the first.

    Farthest-first traversal (Gonzalez 1985, Theoretical Computer Science 38) of the tenth with
    the highest scores (at least `count` candidates): the next candidate is the farthest from
    all chosen ones in score, ln(1 + params) and ln(1 + MACs), each scaled to [0, 1].

    Args:
        candidates: any candidates; those without a score or over the budget are left out.
        count: number of candidates; fewer are returned if there are not enough.
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
    return [pool[index] for index in chosen]
