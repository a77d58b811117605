"""Published figures compared with own measurements."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
from scipy.stats import rankdata

from diswot.bench.ground_truths import GroundTruth, find_truth
from diswot.bench.rank_statistics import kendall, kendall_interval
from diswot.csv_table import read_table
from diswot.errors import DataError

Results = Mapping[tuple[str, str, str], Mapping[str, str]]
"""(truth, target, scorer) → row of a correlation table."""

ALL_CELLS = 15_625
NORMAL = 1.96


@dataclass(frozen=True)
class PaperRow:
    """One published figure and ours.

    Attributes:
        source: paper of the figure.
        setting: search space and data.
        quantity: what was measured, such as Kendall's τ of a scorer.
        paper: published figure; `None` if it is not a number.
        ours: own measurement; `None` if there is none.
        low: lower end of the 95 % interval around ours within which figures agree.
        high: upper end of that interval.
        n: number of architectures of our measurement.
        verdict: `agrees`, `miss`, `not tested`, or `no figure printed`.
        remark: why it was not tested or differs, if known.
    """

    source: str
    setting: str
    quantity: str
    paper: float | None
    ours: float | None = None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    verdict: str = "not tested"
    remark: str = ""


@dataclass(frozen=True)
class _Ranked:
    """A figure that is a rank correlation; the paper's is over `n` architectures."""

    truth: str
    target: str
    scorer: str
    statistic: str
    n: int


@dataclass(frozen=True)
class _Tabled:
    """A figure that is an accuracy in a ground truth."""

    architecture: str
    target: str


@dataclass(frozen=True)
class _Agreement:
    """A figure that is τ of the accuracies alone against those when distilled."""


_Claim: TypeAlias = _Ranked | _Tabled | _Agreement | str
"""Our counterpart of a published figure; a string says why there is none."""

_S0_KD = ("resnet-s0", "distilled")
_CLAIMS: dict[str, Sequence[_Claim]] = {
    "kendall tau of vanilla vs KD accuracy": [_Agreement()],
    "vanilla acc of ResNet[7-1-3]": [_Tabled("7-1-3", "vanilla")],
    "KD acc of ResNet[7-1-3]": [_Tabled("7-1-3", "distilled")],
    "vanilla acc of ResNet[3-3-3]": [_Tabled("3-3-3", "vanilla")],
    "KD acc of ResNet[3-3-3]": [_Tabled("3-3-3", "distilled")],
    "S0 vs KD accuracy: kendall tau of DisWOT": [_Ranked(*_S0_KD, "diswot", "kendall", 64)],
    "S0 vs KD accuracy: spearman of DisWOT": [_Ranked(*_S0_KD, "diswot", "spearman", 64)],
    "NAS-Bench-201 CIFAR-100 (50 architectures): kendall tau of DisWOT": [
        _Ranked("nas-bench-201", "cifar100", "diswot", "kendall", 50)
    ],
    "NAS-Bench-201 ImageNet16-120 (50 architectures): kendall tau of DisWOT": [
        "no accuracies on ImageNet16-120 here"
    ],
    "mean kendall tau of DisWOT": [_Ranked("nas-bench-201", "cifar10", "diswot", "kendall", 500)],
    "mean kendall tau of semantic metric": [
        _Ranked("nas-bench-201", "cifar10", "semantic", "kendall", 500)
    ],
    "mean kendall tau of relation metric": [
        _Ranked("nas-bench-201", "cifar10", "relation", "kendall", 500)
    ],
    **{
        f"kendall tau of {name} vs vanilla / vs KD": [
            _Ranked("resnet-s0", target, scorer, "kendall", 64)
            for target in ("vanilla", "distilled")
        ]
        for name, scorer in (("Fisher", "fisher"), ("NWOT", "nwot"), ("SNIP", "snip"))
    },
    "kendall tau of parameter count": [_Ranked(*_S0_KD, "params", "kendall", 64)],
    "kendall tau of sum over convolutions of ln(C_out)*sqrt(weight count)": [
        _Ranked(*_S0_KD, "size_ln", "kendall", 64)
    ],
}
"""Quantity of `diswot.csv` → our counterparts, one per number of the quantity."""

_REMARKS = {
    "diswot": "the paper's equations as we read them; the README's `semantic_grad` comes nearer",
    "relation": "the paper's equation as we read it; `relation_gram` comes nearer",
    "semantic": "the paper's equation as we read it; `semantic_grad` comes nearer",
}
_COLUMNS = {"c10": "cifar10", "c100": "cifar100"}
_STATISTICS = ("kendall", "spearman")
_ENDS = ("", "_low", "_high")


def paper_table(published: Path, results: Path, root: Path) -> list[PaperRow]:
    """Compare published figures with our correlation tables.

    Args:
        published: folder of `diswot.csv` and `nas-bench-201-correlations.csv`.
        results: a CSV table of `diswot bench correlation`, or a folder of them.
        root: data root with the ground truths.

    Raises:
        DataError: a table is missing, or lacks columns.
    """
    ours = _results(results)
    claims = _published(published, "diswot.csv", texts=["setting", "quantity", "value"])
    figures = [f"{short}_{statistic}" for short in _COLUMNS for statistic in _STATISTICS]
    catalog = _published(
        published,
        "nas-bench-201-correlations.csv",
        texts=["source", "scorer"],
        numbers=figures,
    )
    return [
        *_diswot_claims(claims, ours, find_truth("resnet-s0", root)),
        _autoformer(root),
        *_catalog(catalog, ours),
    ]


def _published(folder: Path, name: str, **columns: Sequence[str]) -> list[Mapping[str, str]]:
    if not (folder / name).is_file():
        raise DataError(
            f"there are no published figures {folder / name}: name their folder with --published"
        )
    return read_table(folder / name, **columns)


def _results(path: Path) -> Results:
    tables = sorted(path.glob("correlation-*.csv")) if path.is_dir() else [path]
    if not tables or not tables[0].is_file():
        raise DataError(
            f"there are no correlation tables {path}: make one with diswot bench correlation, "
            "and name it with --results"
        )
    ends = [f"{name}{end}" for name in _STATISTICS for end in _ENDS]
    numbers = ["architectures", "repeats", "n", "single_sd", *ends]
    rows = [
        row
        for table in tables
        for row in read_table(table, texts=["truth", "target", "scorer"], numbers=numbers)
    ]
    # Later rows overwrite earlier ones: most architectures win, then most repeats.
    rows.sort(key=lambda row: (_count(row["architectures"]), _count(row["repeats"])))
    return {(row["truth"], row["target"], row["scorer"]): row for row in rows}


def _autoformer(root: Path) -> PaperRow:
    """Return the row of AutoFormer, where accuracies alone and distilled differ most."""
    row = PaperRow(
        source="DisWOT, CVPR 2023 (Auto-Prox tables)",
        setting="AutoFormer",
        quantity="kendall tau of accuracy alone against distilled",
        paper=None,
    )
    return replace(_agreed(row, find_truth("autoformer", root)), verdict="no figure printed")


def _diswot_claims(
    rows: Sequence[Mapping[str, str]], ours: Results, s0: GroundTruth
) -> Iterator[PaperRow]:
    for row in rows:
        quantity, setting = row["quantity"], row["setting"]
        claims = _CLAIMS.get(quantity) or _CLAIMS.get(f"{setting}: {quantity}")
        values = row["value"].split(" / ")
        claims = claims or ["needs trainings that are not made here"]
        for number, (claim, value) in enumerate(zip(claims, values, strict=False), start=1):
            label = quantity if len(values) == 1 else f"{quantity} [{number}]"
            base = PaperRow("DisWOT, CVPR 2023", setting, label, _number(value))
            yield _answered(base, claim, ours, s0)


def _answered(row: PaperRow, claim: _Claim, ours: Results, s0: GroundTruth) -> PaperRow:
    if isinstance(claim, str):
        return replace(row, remark=claim)
    if isinstance(claim, _Ranked):
        return _ranked(row, claim, ours)
    if isinstance(claim, _Agreement):
        return _agreed(row, s0)
    index = s0.architectures.index(s0.space.from_string(claim.architecture))
    value = float(s0.accuracies(claim.target)[index])
    return replace(row, ours=value, n=1, verdict=_verdict(row.paper, value, 5e-3))


def _agreed(row: PaperRow, truth: GroundTruth) -> PaperRow:
    alone, distilled = truth.accuracies("vanilla"), truth.accuracies("distilled")
    tau = kendall(alone, distilled)
    low, high = kendall_interval(alone, distilled)
    pairs = len(alone) * (len(alone) - 1) // 2
    order = np.sign(np.subtract.outer(alone, alone))
    order *= np.sign(np.subtract.outer(distilled, distilled))
    # Every unordered pair is counted twice in the matrix.
    swapped = int((order < 0).sum()) // 2
    rank = int(rankdata(-distilled, method="min")[alone.argmax()])
    return replace(
        row,
        ours=tau,
        low=low,
        high=high,
        n=len(alone),
        verdict=_verdict(row.paper, tau, 5e-5),
        remark=(
            f"{swapped} of {pairs} pairs swap ({swapped / pairs:.0%}); the best alone is number "
            f"{rank} of {len(alone)} when distilled"
        ),
    )


def _catalog(rows: Sequence[Mapping[str, str]], ours: Results) -> Iterator[PaperRow]:
    for row in rows:
        for short, target in _COLUMNS.items():
            for statistic in _STATISTICS:
                if not row[f"{short}_{statistic}"]:
                    continue
                base = PaperRow(
                    row["source"],
                    f"NAS-Bench-201, {target}, all cells",
                    f"{statistic} of {row['scorer']}",
                    float(row[f"{short}_{statistic}"]),
                )
                claim = _Ranked("nas-bench-201", target, row["scorer"], statistic, ALL_CELLS)
                yield _ranked(base, claim, ours)


def _ranked(row: PaperRow, claim: _Ranked, ours: Results) -> PaperRow:
    result = ours.get((claim.truth, claim.target, claim.scorer))
    if result is None or not all(result[f"{claim.statistic}{end}"] for end in _ENDS):
        return replace(row, remark=f"{claim.scorer} was not measured on {claim.truth}")
    value, low, high = (float(result[f"{claim.statistic}{end}"]) for end in _ENDS)
    # Margin: our interval, the paper's sampling error by its number of architectures (errors
    # scale with 1/√n), and the spread between initializations, added in quadrature.
    n, spread = _count(result["n"]), (high - low) / 2
    theirs = spread * math.sqrt(n / claim.n)
    chance = NORMAL * float(result["single_sd"] or 0)
    margin = math.sqrt(spread**2 + theirs**2 + chance**2)
    verdict = _verdict(row.paper, value, margin)
    remark = _REMARKS.get(claim.scorer, "") if verdict == "miss" else ""
    return replace(
        row,
        ours=value,
        low=value - margin,
        high=value + margin,
        n=n,
        verdict=verdict,
        remark=remark,
    )


def _verdict(paper: float | None, ours: float, margin: float) -> str:
    if paper is None:
        return "not tested"
    return "agrees" if abs(paper - ours) <= margin else "miss"


def _count(cell: str) -> int:
    return int(float(cell or 0))


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
