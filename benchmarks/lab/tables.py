"""The tables of the lab book's pages, from the journals."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from scipy.stats import rankdata

from benchmarks.lab.aggregates import (
    BASELINES,
    FORM,
    PARTS,
    STUDENT_FIT,
    Aggregate,
    Matrix,
    aggregate,
    grid,
)
from benchmarks.lab.ceilings import TARGETS, of_encodings, of_quantities, tau
from benchmarks.lab.journals import Journal, Merit, merit
from diswot.bench.association import UndefinedStatisticError, Vector, kendall, partial_kendall
from diswot.bench.resampling import resampled
from diswot.bench.tables import markdown, number

OTHERS: Mapping[str, Mapping[str, str]] = {
    "resnet-s0": {"random teacher": "resnet-s0-random", "better teacher": "resnet-s0-better"},
    "autoformer": {"random teacher": "autoformer-random", "better teacher": "autoformer-better"},
    "cells-cifar100": {"random teacher": "cells-random", "better teacher": "cells-better"},
}
"""Experiments with other teachers, by truth."""


def tables_of(
    trained: Mapping[str, Journal],
    others: Mapping[str, Journal],
    wide: Mapping[str, Journal],
    curves: Mapping[str, Mapping[int, Journal]],
) -> dict[str, str]:
    """Return the tables of the pages, by title.

    Args:
        trained: by truth, with a trained teacher.
        others: by experiment, with other teachers.
        wide: by truth, with the quantities that were also looked at.
        curves: by truth and number of images in a batch, the terms of `student_fit_1`.
    """
    return {
        "Left out one truth at a time": _left_out(trained),
        "All that was looked at": _wide(wide),
        "Which teacher": _teachers(trained, others),
        "How many initializations": _repeats(trained),
        "How many images": _images(curves),
        "Gain from distillation": _gain(trained),
        "How terms are combined": _combined(trained),
        "What labels could give": of_quantities(trained),
        "What the encoding could give": of_encodings(trained),
    }


def _left_out(journals: Mapping[str, Journal]) -> str:
    """Choose among the grid on truths of other spaces, by the least distance to the targets."""
    results = {
        name: {truth: merit(score(of).mean(axis=1), of) for truth, of in journals.items()}
        for name, score in grid()
    }
    rows = []
    for left in journals:
        others = [truth for truth in journals if _space(truth) != _space(left)]
        best = max(results, key=lambda name: _margin(results[name], others))
        rows.append([left, best, *_figures(results[best][left]), f"{TARGETS[left]:.2f}"])
    best = max(results, key=lambda name: _margin(results[name], list(journals)))
    whole = [
        [
            f"**{name}**" if name == best else name,
            *(number(merits[truth].kendall, ".3f") for truth in journals),
            number(_margin(merits, list(journals)), "+.3f"),
        ]
        for name, merits in results.items()
    ]
    chosen = ["truth", "selected on the others", "τ", "τ given params", "top tenth", "asked"]
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
    known = aggregate(*FORM, None)
    controls = {truth: known(journal).mean(axis=1) for truth, journal in journals.items()}
    names = dict.fromkeys(name for journal in journals.values() for name in journal.terms)
    rows = []
    for name in names:
        cells = []
        for truth, journal in journals.items():
            values = np.nan_to_num(journal.terms[name]).mean(axis=1)
            try:
                result = merit(values, journal)
                adds = partial_kendall(values, journal.accuracies, [controls[truth]])
            except UndefinedStatisticError:
                cells.append("–")
                continue
            cells.append(f"{result.kendall:.2f}; {number(result.partial)}; {adds:.2f}")
        rows.append([name, *cells])
    return markdown(["quantity", *journals], rows)


def _teachers(trained: Mapping[str, Journal], others: Mapping[str, Journal]) -> str:
    """Compare what the alignment is with, and with none, by a paired bootstrap."""
    without, with_teacher = aggregate(*FORM, None), aggregate(None, None, "mean")
    rows = []
    for truth, journal in trained.items():
        sources = [(journal, _ALIGNED_WITH)]
        for name, experiment in OTHERS.get(truth, {}).items():
            if experiment in others:
                sources.append((others[experiment], {name: with_teacher}))
        for of, alignments in sources:
            before = without(of).mean(axis=1)
            taus = resampled(before, of.accuracies, seed=0).kendall
            known = merit(before, of)
            for name, alignment in alignments.items():
                alone = alignment(of).mean(axis=1)
                result = merit(before + alone, of)
                changes = resampled(before + alone, of.accuracies, seed=0).kendall - taus
                low, high = np.quantile(changes, [0.025, 0.975])
                rows.append(
                    [
                        truth,
                        name,
                        f"{len(of.accuracies):,}",
                        tau(alone, of),
                        f"{result.kendall - known.kendall:+.3f} [{low:+.3f}, {high:+.3f}]",
                        f"{number(known.top)} → {number(result.top)}",
                    ]
                )
    return markdown(["truth", "aligned with", "n", "τ alone", "change of τ", "top tenth"], rows)


_ALIGNED_WITH: Mapping[str, Aggregate] = {
    "trained teacher or images": aggregate(None, None),
    "trained teacher": aggregate(None, None, "mean"),
    "its last block": aggregate(None, None, "last"),
    "pixels": aggregate(None, None, "pixels"),
    "teacher less pixels": lambda journal: (
        aggregate(None, None, "mean")(journal) - aggregate(None, None, "pixels")(journal)
    ),
    "labels": aggregate(None, None, "labels"),
}
"""What the student's blocks are aligned with."""


def _repeats(journals: Mapping[str, Journal]) -> str:
    """Return τ by how many repeats are averaged: mean over choices that share none."""
    rows = []
    for truth, journal in journals.items():
        scores = STUDENT_FIT(journal)
        counts = range(1, scores.shape[1] + 1)
        rows.append([truth, *(_of_repeats(scores, journal.accuracies, count) for count in counts)])
    return markdown(["truth", *map(str, counts)], rows)


def _of_repeats(scores: Matrix, accuracies: Vector, count: int) -> str:
    starts = range(0, scores.shape[1] - count + 1, count)
    taus = [kendall(scores[:, s : s + count].mean(axis=1), accuracies) for s in starts]
    return f"{np.mean(taus):.3f}"


def _images(curves: Mapping[str, Mapping[int, Journal]]) -> str:
    """Return τ of one repeat, by the images in a batch: of `student_fit_1` and its two passes."""
    rows = []
    sizes = sorted({images for curve in curves.values() for images in curve})
    for truth, curve in curves.items():
        for name, of in _CURVES.items():
            results = {
                images: np.mean([kendall(item, journal.accuracies) for item in of(journal.terms).T])
                for images, journal in curve.items()
            }
            rows.append([truth, name, *(number(results.get(images), ".3f") for images in sizes)])
    return markdown(["truth", "score", *map(str, sizes)], rows)


_CURVES: Mapping[str, Callable[[Mapping[str, Matrix]], Matrix]] = {
    "student_fit_1": lambda terms: (
        terms["filled_width"] + terms["root_size"] + terms["teacher_alignment"]
    ),
    "filled_width": lambda terms: terms["filled_width"],
    "teacher_alignment": lambda terms: terms["teacher_alignment"],
}
"""What is drawn against the number of images."""


def _gain(journals: Mapping[str, Journal]) -> str:
    """Return what ranks distilled minus vanilla accuracy."""
    rows = []
    less = {"teacher less pixels": _ALIGNED_WITH["teacher less pixels"]}
    for truth, journal in journals.items():
        if journal.alone is None:
            continue
        gain = journal.accuracies - journal.alone
        for name, score in {**PARTS, **less, **BASELINES}.items():
            scores = score(journal).mean(axis=1)
            against = (journal.alone, journal.accuracies, gain)
            taus = [number(kendall(scores, y), ".3f") for y in against]
            rows.append([truth, name, *taus, _given_params(scores, gain, journal)])
    columns = ["truth", "score", "τ alone", "τ distilled", "τ gain", "τ gain given params"]
    return markdown(columns, rows)


def _given_params(scores: Vector, against: Vector, journal: Journal) -> str:
    try:
        return number(partial_kendall(scores, against, [journal.params]), ".3f")
    except UndefinedStatisticError:
        return "–"


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
                tau(terms.sum(axis=0), journal),
                tau(np.log(rankdata(terms, axis=1) / n).sum(axis=0), journal),
                tau(np.log((within + 1) / (len(sample) + 1)).sum(axis=0), journal),
                tau((terms / terms.std(axis=1, keepdims=True)).sum(axis=0), journal),
            ]
        )
    return markdown(
        ["truth", "product", "log-ranks of all", "log-ranks in a sample of 50", "standardized"],
        rows,
    )
