"""How well the scores rank students, against measured accuracies."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.ground_truths import GroundTruth, Vector, nas_bench_201, resnet_s0
from benchmarks.rank_statistics import kendall, kendall_interval, partial_kendall, spearman
from benchmarks.readings import semantic_by_class, semantic_by_image
from diswot.progress import Progress
from diswot.scorers import (
    COMBINATIONS,
    Card,
    Formula,
    Scorer,
    combine,
    relation,
    relation_gram,
    semantic,
    semantic_grad,
)
from diswot.search import score

MEASURED = Scorer(
    Card("all", "all terms in one pass", "DisWOT and other readings of it", needs_labels=True),
    {
        "semantic": semantic,
        "relation": relation,
        "semantic_grad": semantic_grad,
        "relation_gram": relation_gram,
        "semantic, class by class": semantic_by_class,
        "semantic, image by image": semantic_by_image,
    },
    Formula("sum", ("semantic", "relation")),
)
PAIRS = {
    "diswot": ("semantic", "relation"),
    "semantic_grad+relation_gram": ("semantic_grad", "relation_gram"),
}
REFERENCE = 32


@dataclass(frozen=True)
class Row:
    """One score on one ground truth.

    Attributes:
        truth: the ground truth.
        score: what ranks.
        n: architectures, those that failed left out.
        failed: architectures without a score.
        repeats: initialisations and batches that the score is the mean of.
        kendall: τ-b.
        low: lower end of its 95 % bootstrap interval over the architectures.
        high: upper end.
        spearman: ρ.
        single_mean: mean τ-b of the repeats taken one by one.
        single_sd: their standard deviation.
        partial: τ-b given parameters and depth.
    """

    truth: str
    score: str
    n: int
    failed: int
    repeats: int
    kendall: float
    low: float
    high: float
    spearman: float
    single_mean: float | None
    single_sd: float | None
    partial: float | None


def correlation(root: Path, progress: Progress, *, sample: int, seed: int = 0) -> list[Row]:
    """Return a row per ground truth and score, baselines included.

    S0 with 10 repeats; `sample` cells of NAS-Bench-201 with 3. The teacher is a
    ResNet-110 at random initialisation; batches are 64 images.
    """
    rows = _rows(resnet_s0(root), root, progress, repeats=10, seed=seed)
    for data in ("cifar10", "cifar100"):
        truth = nas_bench_201(root, data=data).sampled(sample, seed)
        rows += _rows(truth, root, progress, repeats=3, seed=seed)
    return rows


def _rows(
    truth: GroundTruth, root: Path, progress: Progress, *, repeats: int, seed: int
) -> list[Row]:
    candidates = score(
        truth.architectures,
        "resnet110",
        space=truth.space,
        data=truth.data,
        data_root=root,
        scorer=MEASURED,
        repeats=repeats,
        seed=seed,
        progress=progress,
    )
    sound = np.array([candidate.failure is None for candidate in candidates])
    terms = {
        name: np.array([c.terms[name] for c in candidates if c.failure is None])
        for name in MEASURED.terms
    }
    costs = {
        "params (baseline)": np.array([float(c.params) for c in candidates])[sound],
        "macs (baseline)": np.array([float(c.macs) for c in candidates])[sound],
        "depth (baseline)": truth.depths[sound],
    }
    table = _Table(truth, truth.accuracies[sound], costs, int((~sound).sum()), repeats)
    rows = [table.row(name, values.mean(axis=1), values) for name, values in terms.items()]
    for name, parts in PAIRS.items():
        both = np.stack([terms[part].mean(axis=1) for part in parts], axis=1)
        drawn = np.random.default_rng(seed).choice(len(both), REFERENCE, replace=False)
        rows += [
            table.row(f"{name} ({how})", combine(both, how, both[drawn])) for how in COMBINATIONS
        ]
    return rows + [table.row(name, values) for name, values in costs.items()]


@dataclass(frozen=True)
class _Table:
    truth: GroundTruth
    accuracies: Vector
    costs: Mapping[str, Vector]
    failed: int
    repeats: int

    def row(self, name: str, scores: Vector, by_repeat: Vector | None = None) -> Row:
        """Return the statistics of one score; `by_repeat` is (n × repeats)."""
        low, high = kendall_interval(scores, self.accuracies)
        single = (
            np.array([kendall(column, self.accuracies) for column in by_repeat.T])
            if by_repeat is not None
            else None
        )
        controls = [self.costs["params (baseline)"], self.costs["depth (baseline)"]]
        baseline = name in self.costs
        return Row(
            truth=self.truth.name,
            score=name,
            n=len(scores),
            failed=self.failed,
            repeats=0 if baseline else self.repeats,
            kendall=kendall(scores, self.accuracies),
            low=low,
            high=high,
            spearman=spearman(scores, self.accuracies),
            single_mean=None if single is None else float(single.mean()),
            single_sd=None if single is None else float(single.std(ddof=1)),
            partial=None if baseline else partial_kendall(scores, self.accuracies, controls),
        )
