"""Fusion of the knowledge of clients: weights between them, and the soft labels they receive."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

FUSIONS: Mapping[str, str] = {
    "knfu": "weighted by the similarity of estimated class distributions (KnFu)",
    "mean": "the mean of all clients' knowledge (the consensus of FedMD)",
    "local": "no exchange",
    "fedavg": "the mean of all clients' weights, by their numbers of examples (FedAvg)",
}
"""Rules of fusion by name."""

ALONE = 1 - 1e-9
"""Weight on itself from which a client receives nothing new, so that it is not fine-tuned."""

SMALLEST = 1e-12
"""Lower limit of estimated class probabilities, so that divergences are finite."""


def class_distributions(knowledge: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the estimated class distributions (N, C) of clients: mean soft labels.

    p_n = (1/S) Σ_s F_n(x_s) for S public examples. The paper names this estimate (EPD); its
    formula is not public, so this one is ours.

    Args:
        knowledge: soft labels of N clients for S examples and C classes (N, S, C).

    Examples:
        >>> class_distributions(np.float32([[[1, 0], [0, 1]], [[1, 0], [1, 0]]])).tolist()
        [[0.5, 0.5], [1.0, 0.0]]
    """
    result: NDArray[np.float64] = knowledge.astype(np.float64).mean(1)
    return result


def knfu_weights(
    distributions: NDArray[np.float64], *, beta: float = 10.0, neighbors: int | None = None
) -> NDArray[np.float64]:
    """Return the fusion weights (N, N) of KnFu; row n has the weights for client n.

    s_nm = exp(−β KL(p_n ‖ p_m)), and w_nm = s_nm / Σ_k s_nk over the neighbors of n: the clients
    with the largest s_nm, itself included. β = 0 without a limit on neighbors is the mean, and
    β → ∞ is local training.

    Source: Seyedmohammadi et al., "KnFu: Effective Knowledge Fusion", arXiv 2403.11892; β = 10 is
    the paper's. Its equations 4 to 9 are not public: the divergence, the exponential and the
    choice of neighbors are ours.

    Args:
        distributions: class distributions of N clients (N, C).
        beta: sharpness; `inf` is allowed.
        neighbors: number of neighbors, itself included; by default N.

    Examples:
        >>> p = np.array([[0.9, 0.1], [0.9, 0.1], [0.1, 0.9]])
        >>> knfu_weights(p, beta=10).round(3).tolist()
        [[0.5, 0.5, 0.0], [0.5, 0.5, 0.0], [0.0, 0.0, 1.0]]
    """
    p = np.clip(distributions, SMALLEST, None)
    p /= p.sum(1, keepdims=True)
    divergence = (p[:, None] * (np.log(p[:, None]) - np.log(p[None]))).sum(2).clip(0)
    np.fill_diagonal(divergence, 0.0)
    different = divergence > 0  # inf · 0 is 0 here
    scaled = np.multiply(beta, divergence, out=np.zeros_like(divergence), where=different)
    similarity = np.exp(-scaled)
    count = len(p) if neighbors is None else min(neighbors, len(p))
    for row, values in enumerate(similarity):
        ahead = sorted(range(len(p)), key=lambda m: (-values[m], m != row, m))
        values[ahead[count:]] = 0
    weights: NDArray[np.float64] = similarity / similarity.sum(1, keepdims=True)
    return weights


def fusion_weights(
    rule: str,
    knowledge: NDArray[np.float32],
    *,
    beta: float = 10.0,
    neighbors: int | None = None,
) -> NDArray[np.float64]:
    """Return the weights (N, N) with which a rule fuses the knowledge of N clients.

    Args:
        rule: `knfu`, `mean` or `local`.
        knowledge: soft labels (N, S, C).
        beta: sharpness of `knfu`.
        neighbors: number of neighbors of `knfu`.

    Raises:
        ValueError: the rule does not fuse knowledge.
    """
    count = len(knowledge)
    if rule == "mean":
        return np.full((count, count), 1 / count)
    if rule == "local":
        return np.eye(count)
    if rule == "knfu":
        return knfu_weights(class_distributions(knowledge), beta=beta, neighbors=neighbors)
    raise ValueError(f"Expected a rule that fuses knowledge, but got {rule!r}")


def fused(weights: NDArray[np.float64], knowledge: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the fused soft labels (N, S, C): F̃_n = Σ_m w_nm F_m.

    Args:
        weights: fusion weights (N, N).
        knowledge: soft labels (N, S, C).
    """
    result: NDArray[np.float32] = np.einsum(
        "nm,msc->nsc", weights, knowledge.astype(np.float64)
    ).astype(np.float32)
    return result


@dataclass(frozen=True)
class Suspicion:
    """Why the knowledge of a client looks wrong.

    Attributes:
        client: index of the client.
        reason: what was found.
    """

    client: int
    reason: str


def suspicions(knowledge: NDArray[np.float32]) -> list[Suspicion]:
    """Return the clients whose knowledge is constant, or agrees with no other client.

    The agreement is Cohen's kappa between the predicted classes of two clients. A kappa within
    two standard errors of chance (or below) with every other client is what random or flipped
    labels give; an honest client can have it too, in early rounds or if it shares no class with
    others. The check is ours.

    Args:
        knowledge: soft labels (N, S, C).
    """
    predicted = knowledge.argmax(2)
    found = []
    for number, answer in enumerate(knowledge):
        if len(answer) > 1 and np.ptp(answer, axis=0).max() < 1e-6:
            found.append(Suspicion(number, "gives every public example the same soft labels"))
            continue
        others = [row for other, row in enumerate(predicted) if other != number]
        pairs = [kappa(predicted[number], row) for row in others]
        if pairs and all(agreement <= limit for agreement, limit in pairs):
            best = max(agreement for agreement, _ in pairs)
            reason = f"agrees with no other client more than chance (kappa {best:.2f} at most)"
            found.append(Suspicion(number, reason))
    return found


def kappa(one: ArrayLike, other: ArrayLike) -> tuple[float, float]:
    """Return Cohen's kappa of two sequences of predicted classes, and two standard errors of it.

    The standard error √(p / (S (1 − p))) is that of unrelated sequences of length S, which agree
    with probability p. Both are 0 if chance agreement is certain.

    Source: Cohen, "A coefficient of agreement for nominal scales", 1960, equation 9.

    Examples:
        >>> kappa([0, 1, 0, 1], [0, 1, 0, 1]), kappa([0, 1, 0, 1], [1, 0, 1, 0])
        ((1.0, 1.0), (-1.0, 1.0))
    """
    first, second = np.asarray(one), np.asarray(other)
    observed = float((first == second).mean())
    classes = np.union1d(first, second)
    chance = sum(float((first == c).mean()) * float((second == c).mean()) for c in classes)
    if chance >= 1:
        return 0.0, 0.0
    error = (chance / (len(first) * (1 - chance))) ** 0.5
    return (observed - chance) / (1 - chance), 2 * error
