"""Hold out random images so that all labels are divided in proportion."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def held_out_of(labels: Tensor, part: int, seed: int) -> tuple[Tensor, Tensor]:
    """Hold out one in `part` images by iterative stratification.

    The rarest label is divided first: each of its images goes to the part that lacks most images
    of the label. Images without labels come last. Of a label with two images or more, each
    part has at least one as a rule, but not if images with several labels prevent it.

    Source: Sechidis, Tsoumakas and Vlahavas, "On the Stratification of Multi-label Data", ECML
    PKDD 2011, algorithm 1.

    Args:
        labels: 1 where an image has a label, else 0 (n, N).
        part: 5 holds out a fifth of the images.
        seed: seed of the random order.

    Returns:
        Indices of the rest and of the held-out images, sorted.

    Examples:
        >>> rest, held = held_out_of(torch.eye(4).repeat(5, 1), 5, seed=0)
        >>> len(rest), len(held)
        (16, 4)
    """
    present = labels.numpy().astype(np.int64)
    order = np.random.default_rng(seed).permutation(len(present))
    shares = np.array([1 - 1 / part, 1 / part])
    missing, left = shares * len(present), shares[:, None] * present.sum(axis=0)
    target = np.full(len(present), -1)
    while len(waiting := order[target[order] < 0]):
        counts = present[waiting].sum(axis=0)
        label = _rarest(counts)
        chosen = waiting if label is None else waiting[present[waiting, label] > 0]
        for image in chosen:
            wanted = missing if label is None else left[:, label]
            # Ties go to the part that lacks more images altogether.
            place = max((0, 1), key=lambda index: (wanted[index], missing[index]))
            target[image] = place
            missing[place] -= 1
            left[place] -= present[image]
    rest, held = (torch.from_numpy(np.flatnonzero(target == place)) for place in (0, 1))
    return rest, held


def _rarest(counts: NDArray[np.int64]) -> int | None:
    """Return the label with the fewest images left, `None` if no image has a label."""
    used = np.flatnonzero(counts)
    return int(used[counts[used].argmin()]) if len(used) else None
