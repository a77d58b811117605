"""A scorer of your own, and whether it ranks students.

The score asks whether teacher and student, before any training, see the same images as similar:
how many of each image's nearest neighbors they share. Whether that says anything of how
accurate the distilled students are is looked up in a ground truth: the 64 networks of S0, all
trained on digits. It is compared with the parameter count, which any score should beat, and with
chance.

    python examples/own_scorer.py           # all 64 networks; half a minute
    python examples/own_scorer.py --small   # twelve of them; seconds
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

import diswot
from diswot.bench.ground_truths import find_truth
from diswot.bench.rank_statistics import kendall
from diswot.networks import Activations
from diswot.scorers import Card, register

NEIGHBORS = 5


def nearest(network: Activations) -> Tensor:
    """Return indices of each image's 5 nearest neighbors by cosine of features, shape (B, 5)."""
    features = torch.nn.functional.normalize(network.features, dim=1)
    return (features @ features.T).fill_diagonal_(-1).topk(NEIGHBORS).indices


@register(Card("neighbors", "share of nearest neighbors that are the same", "an example"))
def neighbors(student: Activations, teacher: Activations) -> Tensor:
    """Return the share of neighbors that both networks have in common, in [0, 1]."""
    theirs = teacher.once(nearest)  # once per batch, however many students are scored
    return (nearest(student)[:, :, None] == theirs[:, None, :]).any(2).float().mean()


def main(*, small: bool) -> None:
    """Score students, and compare the order with that of their accuracies."""
    truth = find_truth("digits-s0", Path())
    if small:
        truth = truth.sampled(12, seed=0)
    accuracies = truth.accuracies("distilled")
    for scorer in ("neighbors", "params", "null"):
        candidates = diswot.score(
            truth.architectures,
            "resnet56",
            space=truth.space,
            data=truth.data,
            scorer=scorer,
            repeats=1 if small else 3,
        )
        scores = np.array([candidate.score for candidate in candidates])
        print(
            f"{scorer:>10}: Kendall τ {kendall(scores, accuracies):+.2f} of {len(truth)} students"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="Seconds instead of minutes.")
    main(small=parser.parse_args().small)
