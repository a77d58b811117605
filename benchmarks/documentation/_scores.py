"""Tables of scores: descriptions, rank correlations and run times."""

from collections import Counter
from collections.abc import Mapping
from itertools import chain
from typing import Any

import numpy as np

import diswot.scorers
from benchmarks.evidence import AGGREGATES
from benchmarks.results_folder import RESULTS
from diswot.bench import EMBEDDED
from diswot.bench.rank_statistics import kendall, kendall_interval
from diswot.bench.tables import markdown, number
from diswot.csv_table import read_table
from diswot.scorers import scorers


def catalog() -> str:
    """Return the table of all scorers, from their cards."""
    needs = {"teacher": "needs_teacher", "labels": "needs_labels", "gradients": "needs_gradients"}
    rows = []
    for name in sorted(scorers().keys() & set(diswot.scorers.__all__)):
        scorer = scorers()[name]
        read = [word for word, flag in needs.items() if getattr(scorer.card, flag)]
        rows.append(
            [
                f"`{name}`",
                scorer.card.summary,
                ", ".join(read) or "–",
                scorer.card.cost,
                scorer.card.source,
            ]
        )
    return markdown(["`--scorer`", "what it is", "reads", "costs", "from"], rows)


LEADERS = 5
"""Scores of a ground truth in the table of leaders."""

TRUTHS = (
    ("resnet-s0", "distilled", "S0, CIFAR-100, distilled"),
    ("resnet-s0", "vanilla", "S0, CIFAR-100, alone"),
    ("nas-bench-201", "cifar10", "NAS-Bench-201, CIFAR-10, alone"),
    ("nas-bench-201-all", "cifar100", "NAS-Bench-201, CIFAR-100, alone"),
    ("autoformer", "distilled", "AutoFormer, CIFAR-100, distilled"),
    ("autoformer", "vanilla", "AutoFormer, CIFAR-100, alone"),
    ("nats-sss", "cifar10", "NATS-SSS, CIFAR-10, alone"),
    ("nas-bench-macro", "cifar10", "NAS-Bench-Macro, CIFAR-10, alone"),
    ("digits-s0", "distilled", "S0, digits with 60 images, distilled"),
    ("tiny-imagenet-mobile", "distilled", "mobile networks, photos of 20 classes, distilled"),
    ("flexibert", "glue", "FlexiBERT, GLUE, not distilled"),
)
"""Correlation tables, their targets, and what the table of leaders calls them."""


def leaders() -> str:
    """Return the best scores of every correlation table, and three that are always there."""
    always = ("params", "diswot", "null")
    rows = []
    for table, target, title in TRUTHS:
        path = EMBEDDED / f"correlation-{table}.csv"
        results = {row["scorer"]: row for row in read_table(path) if row["target"] == target}
        ranked = sorted(results, key=lambda name: -float(results[name]["kendall"] or "-inf"))
        best = ", ".join(
            f"`{name}` {number(results[name]['kendall'])}" for name in ranked[:LEADERS]
        )
        others = [number(results[name]["kendall"]) if name in results else "–" for name in always]
        size = int(next(iter(results.values()))["architectures"])
        link = f"[CSV](../diswot/bench/embedded/{path.name})"
        rows.append([title, f"{size:,}", best, *others, link])
    columns = ["ground truth", "students", "best", *(f"`{name}`" for name in always), "all scores"]
    return markdown(columns, rows)


def mobile() -> str:
    """Return how well scores rank mobile networks, and how well a second seed does."""
    students = read_table(EMBEDDED / "tiny-imagenet-mobile.csv")
    pairs = [(row["distilled"], row["second_seed"]) for row in students if row["second_seed"]]
    first, second = np.array(pairs, dtype=float).T
    again = _estimate(kendall(first, second), *kendall_interval(first, second))
    rows = [["accuracy with a second seed", str(len(pairs)), again, "–"]]
    for row in read_table(EMBEDDED / "correlation-tiny-imagenet-mobile.csv"):
        found, above = (
            _estimate(*(row[f"{name}{limit}"] for limit in ("", "_low", "_high")))
            for name in ("kendall", "above_params")
        )
        above = "–" if row["scorer"] == "params" else above
        rows.append([f"`{row['scorer']}`", row["n"], found, above])
    return markdown(["score", "networks", "τ", "above `params`"], rows)


def _estimate(value: Any, low: Any, high: Any) -> str:
    return f"{number(value)} [{number(low)}, {number(high)}]"


FIT_TRUTHS = {
    "resnet-s0": ("S0, distilled", ("resnet-s0",), "distilled"),
    "cells-cifar10": ("cells, CIFAR-10", ("nas-bench-201", "nas-bench-201-slow"), "cifar10"),
    "cells-cifar100": (
        "cells, CIFAR-100",
        ("nas-bench-201-all", "nas-bench-201-aggregates"),
        "cifar100",
    ),
    "autoformer": ("AutoFormer, distilled", ("autoformer",), "distilled"),
}
"""Experiments: their names in the table, and the correlation tables of other scores."""


def student_fit() -> str:
    """Return how well `student_fit_1`, its parts, baselines and others rank on every truth."""
    cells: dict[str, dict[str, str]] = {}
    for row in read_table(RESULTS / "student-fit.csv"):
        cells.setdefault(row["score"], {})[row["truth"]] = _fit_cell(row)
    for truth, (_, tables, target) in FIT_TRUTHS.items():
        for row in chain(*(read_table(EMBEDDED / f"correlation-{table}.csv") for table in tables)):
            if row["target"] == target and row["scorer"] in AGGREGATES:
                part = " *" if row["architectures"] == "1000" else ""
                cells.setdefault(row["scorer"], {}).setdefault(truth, _fit_cell(row) + part)
    columns = ["score", *(title for title, _, _ in FIT_TRUTHS.values())]
    return markdown(
        columns,
        [[name, *(of.get(truth, "–") for truth in FIT_TRUTHS)] for name, of in cells.items()],
    )


FIT_RANKED = {
    "resnet-s0": ("S0, CIFAR-100, distilled", "resnet-s0"),
    "nas-bench-201": ("NAS-Bench-201, CIFAR-100", "nas-bench-201"),
    "nas-bench-macro": ("NAS-Bench-Macro, CIFAR-10", "nas-bench-macro"),
    "nats-sss": ("NATS-SSS, CIFAR-10", "nats-sss"),
    "autoformer-224": ("AutoFormer at 224 px, CIFAR-100, distilled", ""),
    "autoformer": ("AutoFormer at 32 px, CIFAR-100, distilled", "autoformer"),
    "digits-thin": ("thin networks, digits, distilled", ""),
    "digits-s0": ("S0, digits with 60 images, distilled", ""),
}
"""Truths by their names in `filled-forms.csv`: title, and the correlation table that has `nwot`."""


def student_fit_truths() -> str:
    """Return how well the default score and counts rank the truths, and forms chosen without."""
    results: dict[str, dict[str, Mapping[str, str]]] = {}
    left_out: dict[str, str] = {}
    for row in read_table(RESULTS / "filled-forms.csv"):
        results.setdefault(row["truth"], {})[row["form"]] = row
        if row["chosen"] == "True":
            left_out[row["truth"]] = number(row["kendall"], ".3f")
    rows = []
    for truth, (title, table) in FIT_RANKED.items():
        if truth in results:
            of = results[truth]
            taus = [_interval(of[name]) for name in ("student_fit", "params")]
            taus += [number(of[name]["kendall"]) for name in ("macs", "layers")]
            size = f"{int(of['student_fit']['networks']):,}"
            rows.append([title, size, *taus, _nwot(truth, table, title), left_out.get(truth, "–")])
    scores = [f"`{name}`" for name in ("student_fit", "params", "macs", "layers", "nwot")]
    return markdown(["ground truth", "networks", *scores, "leave-one-out"], rows)


def discovered() -> str:
    """Return how well evolved formulas rank the truths that they were not evolved on."""
    by_truth: dict[str, dict[str, list[Mapping[str, str]]]] = {}
    for row in read_table(RESULTS / "discovered.csv"):
        by_truth.setdefault(row["left_out"], {}).setdefault(row["score"], []).append(row)
    rows = []
    for truth, of in by_truth.items():
        evolved = of["discovered"]
        taus, seen = ([float(row[name]) for row in evolved] for name in ("kendall", "seen"))
        mean = f"{np.mean(taus):.3f} ({min(taus):.3f} to {max(taus):.3f})"
        counts = (_interval(of[name][0]) for name in ("student_fit", "params", "flops"))
        rows.append([FIT_RANKED[truth][0], mean, *counts, f"{np.mean(seen):.3f}"])
    columns = [
        "left out",
        "evolved",
        "`student_fit`",
        "`params`",
        "`flops`",
        "evolved, on the others",
    ]
    return markdown(columns, rows)


def _interval(row: Mapping[str, str]) -> str:
    return f"{number(row['kendall'], '.3f')} [{number(row['low'])}, {number(row['high'])}]"


def _nwot(truth: str, table: str, title: str) -> str:
    """Return τ of nwot on the same networks; a correlation table has the few that are all."""
    for row in read_table(RESULTS / "rivals.csv"):
        if (row["truth"], row["scorer"]) == (truth, "nwot"):
            return number(row["kendall"])
    if not table:
        return "–"
    target = "distilled" if "distilled" in title else "cifar100" if "CIFAR-100" in title else ""
    for row in read_table(EMBEDDED / f"correlation-{table}.csv"):
        if row["scorer"] == "nwot" and row["target"] in (target or row["target"]):
            return number(row["kendall"])
    return "–"


def _fit_cell(row: Mapping[str, str]) -> str:
    interval = f"{number(row['kendall_low'])}, {number(row['kendall_high'])}"
    return (
        f"**{number(row['kendall'], '.3f')}** [{interval}]; "
        f"{number(row['partial'])}; {number(row['spearman_top'])}"
    )


def published() -> str:
    """Return how many figures of each paper agree with ours."""
    counts: dict[str, Counter[str]] = {}
    for row in read_table(RESULTS / "paper.csv"):
        counts.setdefault(row["source"], Counter())[row["verdict"]] += 1
    verdicts = ("agrees", "miss", "not tested")
    return markdown(
        ["paper", "agree", "differ", "not tested"],
        [
            [source, *(str(count[verdict]) for verdict in verdicts)]
            for source, count in counts.items()
            if count.total() > count["no figure printed"]
        ],
    )


def speed(table: str) -> str:
    """Return one table of scorers' run times."""
    rows = [
        [f"`{row['what']}`", number(row["ms"], ".1f"), number(row["ratio"])]
        for row in read_table(RESULTS / "speed.csv")
        if row["table"] == table
    ]
    return markdown(["", "ms", "ratio"], rows)


def all_cells() -> str:
    """Return time and memory of scoring every cell of NAS-Bench-201."""
    columns = ["scores", "processes", "minutes", "memory in GiB", "ms per class"]
    rows = [
        [
            ", ".join(f"`{name}`" for name in row["scorers"].split()),
            row["workers"],
            *(number(row[name], ".1f") for name in ("minutes", "gib")),
            number(row["ms_per_class"], ".0f"),
        ]
        for row in read_table(RESULTS / "all-cells.csv")
    ]
    return markdown(columns, rows)
