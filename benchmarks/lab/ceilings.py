"""What labels could give: of the raw quantities out of sample, of the encodings within."""

import math
from collections.abc import Callable, Mapping
from typing import cast

import numpy as np
from scipy.stats import rankdata

from benchmarks.lab.aggregates import STUDENT_FIT, Matrix
from benchmarks.lab.journals import Journal
from benchmarks.lab.quantities import REACHES, SIZES
from diswot.bench.association import Vector, kendall
from diswot.bench.tables import markdown, number
from search_spaces import AutoFormerArchitecture, AutoFormerSpace

TARGETS = {"resnet-s0": 0.92, "cells-cifar10": 0.78, "cells-cifar100": 0.78, "autoformer": 0.75}
"""Truth → target of Kendall's τ."""

DRAWS = 20_000
"""Number of random weights of the encoding that are tried."""


def of_quantities(journals: Mapping[str, Journal]) -> str:
    """Fit accuracy ranks with labels, from the raw quantities, cross-validated."""
    from sklearn.ensemble import HistGradientBoostingRegressor
    from sklearn.linear_model import RidgeCV
    from sklearn.model_selection import KFold, cross_val_predict

    rows = []
    for truth, journal in journals.items():
        columns = [
            *(journal.log(f"reach_{name}").mean(axis=1) for name in REACHES),
            *(journal.log(f"size_{name}").mean(axis=1) for name in SIZES),
            *(
                journal.terms[f"alignment_{name}"].mean(axis=1)
                for name in ("mean", "last", "least", "pixels")
            ),
        ]
        x = np.stack(columns, axis=1)
        x = (x - x.mean(axis=0)) / np.where(x.std(axis=0) > 0, x.std(axis=0), 1)
        y = rankdata(journal.accuracies) / len(x)
        folds = KFold(5, shuffle=True, random_state=0)
        linear = cross_val_predict(RidgeCV(np.logspace(-3, 3, 13)), x, y, cv=folds)
        trees = cross_val_predict(HistGradientBoostingRegressor(random_state=0), x, y, cv=folds)
        rows.append(
            [
                truth,
                tau(STUDENT_FIT(journal).mean(axis=1), journal),
                tau(linear, journal),
                tau(trees, journal),
                f"{TARGETS[truth]:.2f}",
            ]
        )
    return markdown(["truth", "student_fit_1", "linear fit", "boosted trees", "asked"], rows)


def of_encodings(journals: Mapping[str, Journal]) -> str:
    """Choose, with all labels of a truth, the weights of its encoding: no score is as free."""
    rows = []
    for (truth, form), encode in ENCODINGS.items():
        if truth in journals:
            journal = journals[truth]
            encoded = np.array([encode(name) for name in journal.architectures])
            best = best_weights(encoded, journal.accuracies)
            weights = " : ".join(f"{weight:.2f}" for weight in best / np.abs(best).max())
            rows.append(
                [
                    truth,
                    form,
                    weights,
                    tau(encoded @ best, journal),
                    tau(STUDENT_FIT(journal).mean(axis=1), journal),
                    f"{TARGETS[truth]:.2f}",
                ]
            )
    columns = ["truth", "a weighted sum of", "weights", "τ within the sample"]
    return markdown([*columns, "student_fit_1", "asked"], rows)


def best_weights(encoded: Matrix, accuracies: Vector) -> Vector:
    """Return the best-ranking weights (d,) of random ones, for encodings (n, d)."""
    drawn = np.random.default_rng(0).normal(size=(DRAWS, encoded.shape[1]))
    higher = np.triu(np.sign(accuracies[:, None] - accuracies), k=1)
    pairs = np.argwhere(higher)
    signs = higher[tuple(pairs.T)]
    steps = (encoded[pairs[:, 0]] - encoded[pairs[:, 1]]) * signs[:, None]
    agreement = [np.sign(steps @ weights).sum() for weights in drawn]
    return np.asarray(drawn[int(np.argmax(agreement))])


def _blocks_per_stage(name: str) -> list[float]:
    return [float(blocks) for blocks in name.split("-")]


def _sizes(name: str) -> list[float]:
    arch = cast(AutoFormerArchitecture, AutoFormerSpace().from_string(name))
    parts = arch.hidden, len(arch.heads), np.mean(arch.heads), np.mean(arch.mlp_ratios)
    return [math.log(part) for part in parts]


ENCODINGS: Mapping[tuple[str, str], Callable[[str], list[float]]] = {
    ("resnet-s0", "blocks in each stage"): _blocks_per_stage,
    ("resnet-s0", "their square roots"): lambda name: list(np.sqrt(_blocks_per_stage(name))),
    ("autoformer", "logarithms of hidden size, depth, mean heads, mean MLP ratio"): _sizes,
}
"""Truths and what is made of their encodings."""


def tau(scores: Vector, journal: Journal) -> str:
    """Return Kendall's τ with the accuracies, formatted for tables."""
    return number(kendall(scores, journal.accuracies), ".3f")
