"""The tables of federated distillation: means by setting, and the claims of KnFu's paper."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from diswot.bench.paired import paired_p


@dataclass(frozen=True)
class FederatedRow:
    """Means over seeds of one fusion rule in one setting.

    Attributes:
        alpha: parameter of the Dirichlet distribution of label mixes.
        size: private examples per client.
        arm: fusion rule, and `-equal` for equal networks.
        seeds: number of seeds.
        own: mean over clients of the test accuracy with their own label mix.
        all: mean over clients of the accuracy on all test examples.
        own_sd: standard deviation of `own` over seeds.
        all_sd: standard deviation of `all` over seeds.
        own_gain: mean difference of `own` from local training, paired by seed.
        own_p: p-value of this difference (paired t-test).
        all_gain: mean difference of `all` from local training.
        all_p: p-value of this difference.
        rho: mean Spearman correlation of the fusion weights of the last round with the
            similarity of label mixes.
        own_weight: mean weight of a client on itself in the last round.
        suspects: clients that were reported as suspect, per round; all are honest.
        kilobytes: bytes sent to the server per run, in thousands.
    """

    alpha: float
    size: int
    arm: str
    seeds: int
    own: float
    all: float
    own_sd: float
    all_sd: float
    own_gain: float | None
    own_p: float | None
    all_gain: float | None
    all_p: float | None
    rho: float | None
    own_weight: float
    suspects: float
    kilobytes: float


@dataclass(frozen=True)
class ClaimRow:
    """A claim of the paper, or of this project, and whether it holds here.

    Attributes:
        claim: the claim, as a comparison.
        alpha: parameter of the Dirichlet distribution.
        size: private examples per client.
        difference: mean difference that the claim says is positive, or not negative.
        p: p-value (paired t-test).
        low: smallest difference of a seed.
        high: largest difference of a seed.
        holds: `yes` if the mean has the claimed sign, `significantly` if also p < 0.05; `no`.
    """

    claim: str
    alpha: float
    size: int
    difference: float
    p: float | None
    low: float
    high: float
    holds: str


_Records = Mapping[Any, Mapping[str, Any]]


def rows_of(
    records: _Records, sizes: Sequence[int], seeds: int, *, rounds: int
) -> list[FederatedRow]:
    """Return the means of every fusion rule in every setting."""
    alphas, arms = (sorted({key[index] for key in records}) for index in (0, 2))
    return [_row(records, key, seeds, rounds) for key in product(alphas, sizes, arms)]


def _values(records: _Records, setting: tuple[float, int, str], name: str, seeds: int) -> Any:
    return np.array([records[(*setting, seed)][name] for seed in range(seeds)], dtype=float)


def _row(
    records: _Records, setting: tuple[float, int, str], seeds: int, rounds: int
) -> FederatedRow:
    alpha, size, arm = setting
    local = (alpha, size, "local")
    own, overall = (_values(records, setting, name, seeds) for name in ("own", "all"))
    gains = [
        values - _values(records, local, name, seeds)
        for values, name in ((own, "own"), (overall, "all"))
    ]
    compared = arm != "local" and not arm.endswith("equal") and arm != "fedavg"
    rho = [records[(*setting, seed)]["rho"][-1] for seed in range(seeds)]
    known = [value for value in rho if value is not None]
    first = records[(*setting, 0)]
    suspects = _values(records, setting, "suspects", seeds)
    return FederatedRow(
        alpha,
        size,
        arm,
        seeds,
        float(own.mean()),
        float(overall.mean()),
        float(own.std(ddof=1)),
        float(overall.std(ddof=1)),
        float(gains[0].mean()) if compared else None,
        paired_p(gains[0]) if compared else None,
        float(gains[1].mean()) if compared else None,
        paired_p(gains[1]) if compared else None,
        float(np.mean(known)) if known and arm.startswith("knfu") else None,
        float(_values(records, setting, "own_weight", seeds).mean()),
        float(suspects.mean()) / rounds,
        first["bytes"] / 1000,
    )


def claims(records: _Records, sizes: Sequence[int], seeds: int) -> list[ClaimRow]:
    """Return the claims with the differences that decide them."""
    small, large = min(sizes), max(sizes)
    compared = [
        ("fusion (knfu) is better than local training, all classes", 100.0, "knfu", "local", "all"),
        ("fusion (knfu) is better than long local training", 100.0, "knfu", "local-long", "all"),
        ("knfu is better than the mean, own mix", 0.1, "knfu", "mean", "own"),
        ("knfu is better than the mean, own mix", 0.5, "knfu", "mean", "own"),
        ("knfu is better than fedavg, own mix", 0.1, "knfu-equal", "fedavg", "own"),
        ("fedavg is better than knfu, all classes", 100.0, "fedavg", "knfu-equal", "all"),
    ]
    rows = [
        _claim(records, (text, alpha, size), (one, other, metric), seeds)
        for text, alpha, one, other, metric in compared
        for size in (small, large)
    ]
    for other in ("knfu", "mean"):
        text = f"local training is at least as good as {other}, own mix"
        rows.append(_claim(records, (text, 0.1, large), ("local", other, "own"), seeds))
    for alpha, size in product((0.1, 0.5, 100.0), (small, large)):
        values = [records[alpha, size, "knfu", seed]["rho"][-1] for seed in range(seeds)]
        known = np.array([value for value in values if value is not None])
        if len(known) > 1:
            rows.append(
                _decided("weights correlate with true label mixes (rho)", alpha, size, known)
            )
    return rows


def _claim(
    records: _Records, what: tuple[str, float, int], arms: tuple[str, str, str], seeds: int
) -> ClaimRow:
    (text, alpha, size), (one, other, metric) = what, arms
    difference = _values(records, (alpha, size, one), metric, seeds) - _values(
        records, (alpha, size, other), metric, seeds
    )
    return _decided(text, alpha, size, difference)


def _decided(text: str, alpha: float, size: int, difference: Any) -> ClaimRow:
    mean, p = float(difference.mean()), paired_p(difference)
    right = mean >= 0 if "at least" in text else mean > 0
    holds = "no" if not right else "significantly" if p is not None and p < 0.05 else "yes"
    return ClaimRow(
        text, alpha, size, mean, p, float(difference.min()), float(difference.max()), holds
    )
