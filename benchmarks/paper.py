"""What papers print against what is measured here."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.stats import rankdata

from benchmarks.ground_truths import GroundTruth, find_truth
from benchmarks.rank_statistics import kendall, kendall_interval
from benchmarks.tables import read_csv
from diswot.errors import DataError

Results = Mapping[tuple[str, str, str], Mapping[str, str]]
"""Rows of a correlation table by truth, target and scorer."""

ALL_CELLS = 15_625
NORMAL = 1.96


@dataclass(frozen=True)
class PaperRow:
    """One published figure beside ours.

    Attributes:
        source: where it is printed.
        setting: on what.
        quantity: what it is.
        paper: the published figure; `None` where it is no number.
        ours: what is measured here.
        low: lower end of the 95 % interval of the difference's zero, around ours.
        high: upper end.
        n: architectures of ours.
        verdict: `agrees`, `miss`, or `not tested`.
        remark: why it was not tested, or why it misses, where that is known.
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
    """A correlation of our table; `n` architectures were ranked in the paper."""

    truth: str
    target: str
    scorer: str
    statistic: str
    n: int


@dataclass(frozen=True)
class _Tabled:
    """An accuracy of a ground truth."""

    architecture: str
    target: str


_S0_KD = ("resnet-s0", "distilled")
_CLAIMS: dict[str, Sequence[_Ranked | _Tabled | str]] = {
    "kendall tau of vanilla vs KD accuracy": ["the agreement of two columns is below"],
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
"""What each quantity of `diswot.csv` is here, one entry a number; a text says why not."""

_REMARKS = {
    "diswot": "the paper's equations as we read them; the README's `semantic_grad` comes nearer",
    "relation": "the paper's equation as we read it; `relation_gram` comes nearer",
    "semantic": "the paper's equation as we read it; `semantic_grad` comes nearer",
}
_COLUMNS = {"c10": "cifar10", "c100": "cifar100"}


def paper_table(published: Path, results: Path, root: Path) -> list[PaperRow]:
    """Compare what papers print with a correlation table of ours.

    Args:
        published: folder of `diswot.csv` and `nas-bench-201-correlations.csv`.
        results: a table that `diswot bench correlation` wrote, or a folder of them.
        root: where ground truths lie.

    Raises:
        DataError: one of them is missing.
    """
    ours = _results(results)
    s0 = find_truth("resnet-s0", root)
    return [
        *_agreement(s0, "S0", 0.8356, "authors' released tables"),
        *_agreement(find_truth("autoformer", root), "AutoFormer", None, "Auto-Prox tables"),
        *_diswot_claims(_published(published, "diswot.csv"), ours, s0),
        *_catalogue(_published(published, "nas-bench-201-correlations.csv"), ours),
    ]


def _published(folder: Path, name: str) -> list[Mapping[str, str]]:
    if not (folder / name).is_file():
        raise DataError(
            f"there are no published figures {folder / name}: name their folder with --published"
        )
    return read_csv(folder / name)


def _results(place: Path) -> Results:
    tables = sorted(place.glob("correlation-*.csv")) if place.is_dir() else [place]
    if not tables or not tables[0].is_file():
        raise DataError(
            f"there are no correlation tables {place}: make one with diswot bench correlation, "
            "and name it with --results"
        )
    rows = [row for table in tables for row in read_csv(table)]
    # Of two tables the one of more architectures counts, then that of more repeats.
    rows.sort(key=lambda row: (int(row["architectures"]), int(row["repeats"])))
    return {(row["truth"], row["target"], row["scorer"]): row for row in rows}


def _agreement(
    truth: GroundTruth, setting: str, paper: float | None, source: str
) -> Iterator[PaperRow]:
    """Test the first claim: the best network alone is not the best student."""
    alone, distilled = truth.accuracies("vanilla"), truth.accuracies("distilled")
    tau = kendall(alone, distilled)
    low, high = kendall_interval(alone, distilled)
    pairs = len(alone) * (len(alone) - 1) // 2
    order = np.sign(np.subtract.outer(alone, alone))
    order *= np.sign(np.subtract.outer(distilled, distilled))
    swapped = int((order < 0).sum()) // 2
    best = int(alone.argmax())
    rank = int(rankdata(-distilled, method="min")[best])
    yield PaperRow(
        source=f"DisWOT, CVPR 2023 ({source})",
        setting=setting,
        quantity="kendall tau of accuracy alone against distilled",
        paper=paper,
        ours=tau,
        low=low,
        high=high,
        n=len(alone),
        verdict=_verdict(paper, tau, 5e-5) if paper is not None else "no figure printed",
        remark=(
            f"{swapped} of {pairs} pairs swap ({swapped / pairs:.0%}); the best alone is number "
            f"{rank} of {len(alone)} when distilled"
        ),
    )


def _diswot_claims(
    rows: Sequence[Mapping[str, str]], ours: Results, s0: GroundTruth
) -> Iterator[PaperRow]:
    for row in rows:
        quantity, setting = row["quantity"], row["setting"]
        claims = _CLAIMS.get(quantity) or _CLAIMS.get(f"{setting}: {quantity}")
        values = row["value"].split(" / ")
        for number, claim in enumerate(claims or ["needs trainings that are not made here"]):
            shown = quantity if len(values) == 1 else f"{quantity} [{number + 1}]"
            base = PaperRow("DisWOT, CVPR 2023", setting, shown, _number(values[number]))
            yield _answered(base, claim, ours, s0)


def _answered(
    row: PaperRow, claim: "_Ranked | _Tabled | str", ours: Results, s0: GroundTruth
) -> PaperRow:
    if isinstance(claim, str):
        return replace(row, remark=claim)
    if isinstance(claim, _Ranked):
        return _ranked(row, claim, ours)
    place = s0.architectures.index(s0.space.from_string(claim.architecture))
    value = float(s0.accuracies(claim.target)[place])
    return replace(row, ours=value, n=1, verdict=_verdict(row.paper, value, 5e-3))


def _catalogue(rows: Sequence[Mapping[str, str]], ours: Results) -> Iterator[PaperRow]:
    for row in rows:
        for short, target in _COLUMNS.items():
            for statistic in ("kendall", "spearman"):
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
    found = ours.get((claim.truth, claim.target, claim.scorer))
    if found is None or not found[claim.statistic]:
        return replace(row, remark=f"{claim.scorer} was not measured on {claim.truth}")
    value, n = float(found[claim.statistic]), int(found["n"])
    spread = (float(found[f"{claim.statistic}_high"]) - float(found[f"{claim.statistic}_low"])) / 2
    theirs = spread * math.sqrt(n / claim.n)
    chance = NORMAL * float(found["single_sd"] or 0)
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


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
