"""Print the tables of the lab book from the journals: `python -m benchmarks.lab.report`."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import TypeAlias

import click
import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from benchmarks.association import (
    UndefinedStatisticError,
    Vector,
    kendall,
    partial_kendall,
)
from benchmarks.lab.journals import Journal, Merit, merit, read
from benchmarks.lab.measure import EXPERIMENTS, SCORERS
from benchmarks.lab.quantities import REACHES, SIZES
from benchmarks.rank_statistics import RankStatistics, rank_statistics
from benchmarks.results_folder import keep
from benchmarks.tables import markdown, number
from diswot.cli import options

Matrix: TypeAlias = NDArray[np.float64]
Aggregate: TypeAlias = Callable[[Journal], Matrix]
"""(journal) → (n, R) scores of the n architectures in each repeat."""

TRUTHS = ("resnet-s0", "cells-cifar10", "cells-cifar100", "autoformer")
"""What an aggregate is judged on."""
TARGETS = {"resnet-s0": 0.92, "cells-cifar10": 0.78, "cells-cifar100": 0.78, "autoformer": 0.75}
"""Kendall's τ that was to be reached."""
WIDELY = ("resnet-s0", "cells", "autoformer")
"""Truths of which more was measured than shares the passes of `student_fit`."""
HERE = Path(__file__).parent
RESAMPLES = 400
"""Of a paired bootstrap."""


def aggregate(reach: str | None, size: str | None, alignment: str | None = "mean") -> Aggregate:
    """Return the sum of the logarithms of up to three quantities, 1 + which where it can be 0."""

    def scores(journal: Journal) -> Matrix:
        parts = [
            np.log1p(np.nan_to_num(journal.terms[f"reach_{reach}"])) if reach else 0.0,
            journal.log(f"size_{size}") if size else 0.0,
            np.log1p(journal.terms[f"alignment_{alignment}"]) if alignment else 0.0,
        ]
        return np.asarray(sum(parts))

    return scores


STUDENT_FIT = aggregate("rank_entropy", "weights_1/2")
BASELINES: Mapping[str, Aggregate] = {
    "params": lambda journal: np.log(journal.params)[:, None],
    "size_ln": lambda journal: journal.terms["size_ln"],
    "trainable_layers": lambda journal: journal.terms["trainable_layers"],
    "az_expressivity": lambda journal: journal.terms["reach_entropy"],
}
PARTS: Mapping[str, Aggregate] = {
    "student_fit": STUDENT_FIT,
    "without the teacher": aggregate("rank_entropy", "weights_1/2", None),
    "without filled_width": aggregate(None, "weights_1/2"),
    "without root_size": aggregate("rank_entropy", None),
    "filled_width": aggregate("rank_entropy", None, None),
    "root_size": aggregate(None, "weights_1/2", None),
    "teacher_alignment": aggregate(None, None),
}


@dataclass(frozen=True)
class FitRow:
    """How well one score ranks one truth's students.

    Attributes:
        truth: the experiment.
        score: what is judged.
        repeats: initialisations and batches that scores are the mean of.
        batch_size: images in a batch.
        single_mean: mean τ-b of the repeats taken one by one.
        single_sd: standard deviation of these.
        statistics: of the means over the repeats.
    """

    truth: str
    score: str
    repeats: int
    batch_size: int
    single_mean: float
    single_sd: float | None
    statistics: RankStatistics


@click.command()
@options.DATA_ROOT
@click.option("--teachers", type=click.Path(path_type=Path), required=True)
@click.option("--work", type=click.Path(path_type=Path), default=Path("runs/lab"))
def main(data_root: str | None, teachers: Path, work: Path) -> None:
    """Write the tables of the lab book beside its pages."""

    def journal(name: str) -> Journal:
        return read(name, work=work, teachers=teachers, data_root=data_root)

    started = datetime.now(UTC)
    trained = {name: journal(name) for name in TRUTHS if (work / name).is_dir()}
    random = {name: journal(name) for name in _RANDOM.values() if (work / name).is_dir()}
    wide = {name: journal(f"{name}-wide") for name in WIDELY if (work / f"{name}-wide").is_dir()}
    rows = fit_rows(trained)
    made = {name: asdict(EXPERIMENTS[name]) for name in trained}
    keep("student-fit", rows, {"experiments": made, "terms": SCORERS}, started)
    tables = {"Parts and baselines": _parts(rows), **tables_of(trained, random, wide)}
    text = "\n\n".join(f"## {title}\n\n{table}" for title, table in tables.items())
    (HERE / "tables.md").write_text(f"# Tables\n\n{text}\n", encoding="utf-8")
    click.echo(text)


def tables_of(
    trained: Mapping[str, Journal], random: Mapping[str, Journal], wide: Mapping[str, Journal]
) -> dict[str, str]:
    """Return the tables of the pages, by title.

    Args:
        trained: by truth, with a trained teacher.
        random: by experiment, with teachers at random initialisation.
        wide: by truth, with the quantities that were looked at besides.
    """
    return {
        "Left out one truth at a time": _left_out(trained),
        "All that was looked at": _wide(wide),
        "Which teacher": _teachers(trained, random),
        "How many initialisations": _repeats(trained),
        "Gain from distillation": _gain(trained),
        "How terms are combined": _combined(trained),
        "What labels could give": _ceilings(trained),
    }


_RANDOM = {
    "resnet-s0": "resnet-s0-random",
    "autoformer": "autoformer-random",
    "cells-cifar100": "cells-random",
}


def fit_rows(journals: Mapping[str, Journal]) -> list[FitRow]:
    """Return how well `student_fit`, its parts and baselines rank every truth's students."""
    rows = []
    for truth, journal in journals.items():
        for name, score in {**PARTS, **BASELINES}.items():
            each = score(journal)
            singles = [kendall(column, journal.accuracies) for column in each.T]
            rows.append(
                FitRow(
                    truth,
                    name,
                    EXPERIMENTS[truth].repeats,
                    EXPERIMENTS[truth].batch_size,
                    float(np.mean(singles)),
                    float(np.std(singles, ddof=1)) if len(singles) > 1 else None,
                    rank_statistics(each.mean(axis=1), journal.accuracies, params=journal.params),
                )
            )
    return rows


def _parts(rows: Sequence[FitRow]) -> str:
    """Return τ with its interval, then partial τ given parameters and ρ in the top tenth."""
    truths = list(dict.fromkeys(row.truth for row in rows))
    cells = {(row.truth, row.score): _cell(row) for row in rows}
    names = dict.fromkeys(row.score for row in rows)
    return markdown(
        ["score", *truths], [[name, *(cells[truth, name] for truth in truths)] for name in names]
    )


def _cell(row: FitRow) -> str:
    found = row.statistics
    tau = found.kendall
    return (
        f"{tau.value:.3f} [{tau.low:.2f}, {tau.high:.2f}]; "
        f"{number(found.partial)}; {number(found.spearman_top)}"
    )


def _grid() -> Iterator[tuple[str, Aggregate]]:
    for reach, size in product(REACHES, SIZES):
        yield f"{reach} · {size}", aggregate(reach, size)


def _left_out(journals: Mapping[str, Journal]) -> str:
    """Choose among the grid on truths of other spaces, by the least distance to the targets."""
    found = {
        name: {truth: merit(score(of).mean(axis=1), of) for truth, of in journals.items()}
        for name, score in _grid()
    }
    rows = []
    for left in journals:
        others = [truth for truth in journals if _space(truth) != _space(left)]
        best = max(found, key=lambda name: _margin(found[name], others))
        rows.append([left, best, *_figures(found[best][left]), f"{TARGETS[left]:.2f}"])
    best = max(found, key=lambda name: _margin(found[name], list(journals)))
    whole = [
        [
            f"**{name}**" if name == best else name,
            *(number(merits[truth].kendall, ".3f") for truth in journals),
            number(_margin(merits, list(journals)), "+.3f"),
        ]
        for name, merits in found.items()
    ]
    chosen = ["truth", "chosen on the others", "τ", "τ given params", "top tenth", "asked"]
    tried = ["width · size, with the alignment", *journals, "least margin"]
    return f"{markdown(chosen, rows)}\n\n{markdown(tried, whole)}"


def _space(truth: str) -> str:
    return truth.split("-")[0]


def _margin(merits: Mapping[str, Merit], truths: Sequence[str]) -> float:
    return min(merits[truth].kendall - TARGETS[truth] for truth in truths)


def _figures(found: Merit) -> list[str]:
    return [number(found.kendall, ".3f"), number(found.partial), number(found.top)]


def _wide(journals: Mapping[str, Journal]) -> str:
    """Return what each quantity says alone, and what it adds to width and size."""
    known = aggregate("rank_entropy", "weights_1/2", None)
    names = dict.fromkeys(name for journal in journals.values() for name in journal.terms)
    rows = []
    for name in names:
        cells = []
        for journal in journals.values():
            values = np.nan_to_num(journal.terms[name]).mean(axis=1)
            control = known(journal).mean(axis=1)
            try:
                found = merit(values, journal)
                adds = partial_kendall(values, journal.accuracies, [control])
            except UndefinedStatisticError:
                cells.append("–")
                continue
            cells.append(f"{found.kendall:.2f}; {number(found.partial)}; {adds:.2f}")
        rows.append([name, *cells])
    return markdown(["quantity", *journals], rows)


def _teachers(trained: Mapping[str, Journal], random: Mapping[str, Journal]) -> str:
    """Compare what the alignment is with, and with none, by a paired bootstrap."""
    without = aggregate("rank_entropy", "weights_1/2", None)
    rows = []
    for truth, journal in trained.items():
        sources = {
            "trained teacher": (journal, aggregate("rank_entropy", "weights_1/2", "mean")),
            "its last block": (journal, aggregate("rank_entropy", "weights_1/2", "last")),
            "pixels": (journal, aggregate("rank_entropy", "weights_1/2", "pixels")),
            "labels": (journal, aggregate("rank_entropy", "weights_1/2", "labels")),
        }
        other = random.get(_RANDOM.get(truth, ""))
        if other is not None:
            sources["random teacher"] = (other, aggregate("rank_entropy", "weights_1/2", "mean"))
        for name, (of, score) in sources.items():
            scores = score(of).mean(axis=1)
            low, high, change = _difference(scores, without(of).mean(axis=1), of.accuracies)
            top = merit(scores, of).top
            before = merit(without(of).mean(axis=1), of).top
            rows.append(
                [
                    truth,
                    name,
                    f"{len(of.accuracies):,}",
                    f"{change:+.3f} [{low:+.3f}, {high:+.3f}]",
                    f"{number(before)} → {number(top)}",
                ]
            )
    return markdown(["truth", "aligned with", "n", "change of τ", "top tenth"], rows)


def _difference(scores: Vector, others: Vector, accuracies: Vector) -> tuple[float, float, float]:
    """Return the 95 % interval of the difference of two τ, and the difference."""
    rng, n = np.random.default_rng(0), len(accuracies)
    size = min(n, 2000)  # of larger tables a sample without replacement would do as well
    changes = []
    for _ in range(RESAMPLES):
        i = rng.integers(n, size=size)
        changes.append(kendall(scores[i], accuracies[i]) - kendall(others[i], accuracies[i]))
    low, high = np.quantile(changes, [0.025, 0.975])
    shrink = np.sqrt(size / n)
    change = kendall(scores, accuracies) - kendall(others, accuracies)
    return change + (low - change) * shrink, change + (high - change) * shrink, change


def _repeats(journals: Mapping[str, Journal]) -> str:
    """Return τ by how many repeats are averaged: mean over disjoint choices."""
    rows = []
    for truth, journal in journals.items():
        scores = STUDENT_FIT(journal)
        repeats = scores.shape[1]
        taus = []
        for count in range(1, repeats + 1):
            starts = range(0, repeats - count + 1, count)
            taus.append(
                np.mean(
                    [
                        kendall(scores[:, s : s + count].mean(axis=1), journal.accuracies)
                        for s in starts
                    ]
                )
            )
        rows.append([truth, *(f"{tau:.3f}" for tau in taus)])
    return markdown(["truth", *map(str, range(1, len(rows[0])))], rows)


def _gain(journals: Mapping[str, Journal]) -> str:
    """Return what ranks distilled minus vanilla accuracy."""
    rows = []
    for truth, journal in journals.items():
        if journal.alone is None:
            continue
        gain = journal.accuracies - journal.alone
        for name, score in {**PARTS, **BASELINES}.items():
            scores = np.broadcast_to(score(journal), (len(gain), max(1, score(journal).shape[1])))
            rows.append(
                [
                    truth,
                    name,
                    number(kendall(scores.mean(axis=1), journal.alone), ".3f"),
                    number(kendall(scores.mean(axis=1), journal.accuracies), ".3f"),
                    number(kendall(scores.mean(axis=1), gain), ".3f"),
                ]
            )
    return markdown(["truth", "score", "τ alone", "τ distilled", "τ gain"], rows)


def _combined(journals: Mapping[str, Journal]) -> str:
    """Compare the absolute product with ranks within the population, and within a sample."""
    rows = []
    for truth, journal in journals.items():
        terms = np.stack(
            [
                PARTS[name](journal).mean(axis=1)
                for name in ("filled_width", "root_size", "teacher_alignment")
            ]
        )
        n = terms.shape[1]
        sample = np.random.default_rng(0).choice(n, min(n, 50), replace=False)
        within = np.stack([np.searchsorted(np.sort(t[sample]), t, side="right") for t in terms])
        rows.append(
            [
                truth,
                _tau(terms.sum(axis=0), journal),
                _tau(np.log(rankdata(terms, axis=1) / n).sum(axis=0), journal),
                _tau(np.log((within + 1) / (len(sample) + 1)).sum(axis=0), journal),
                _tau((terms / terms.std(axis=1, keepdims=True)).sum(axis=0), journal),
            ]
        )
    return markdown(
        ["truth", "product", "log-ranks of all", "log-ranks in a sample of 50", "standardised"],
        rows,
    )


def _tau(scores: Vector, journal: Journal) -> str:
    return number(kendall(scores, journal.accuracies), ".3f")


def _ceilings(journals: Mapping[str, Journal]) -> str:
    """Fit accuracy ranks with labels, on half of a truth, and judge on the other half."""
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
                _tau(STUDENT_FIT(journal).mean(axis=1), journal),
                _tau(linear, journal),
                _tau(trees, journal),
                f"{TARGETS[truth]:.2f}",
            ]
        )
    return markdown(["truth", "student_fit", "linear fit", "boosted trees", "asked"], rows)


if __name__ == "__main__":
    main()
