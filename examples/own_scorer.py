"""Write a scorer and test whether it ranks students by their accuracy.

The score is the share of nearest neighbors among the images of a batch that the untrained student
has in common with the teacher. To test it, the program scores the 64 networks of the space S0,
whose accuracies after distillation on digits are embedded, and prints Kendall's τ between score
and accuracy. The number of parameters and a random number are baselines.

    python examples/own_scorer.py           # all 64 networks; takes half a minute
    python examples/own_scorer.py --small   # twelve of them; takes seconds
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
    """Return the indices (B, 5) of each image's nearest neighbors by the cosine of features."""
    features = torch.nn.functional.normalize(network.features, dim=1)
    return (features @ features.T).fill_diagonal_(-1).topk(NEIGHBORS).indices


@register(Card("neighbors", "share of nearest neighbors in common with the teacher", "an example"))
def neighbors(student: Activations, teacher: Activations) -> Tensor:
    """Return the share of neighbors that both networks have in common, from 0 to 1."""
    theirs = teacher.once(nearest)  # computed once per batch, not for every student
    return (nearest(student)[:, :, None] == theirs[:, None, :]).any(2).float().mean()


def main(*, small: bool) -> None:
    """Score students and compare the ranking with their accuracies."""
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
    parser.add_argument("--small", action="store_true", help="Score twelve networks only.")
    main(small=parser.parse_args().small)
