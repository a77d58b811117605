"""What scores are, how well they rank, and what they cost."""

from collections.abc import Mapping
from itertools import chain

import diswot.scorers
from benchmarks.evidence import AGGREGATES
from benchmarks.results_folder import RESULTS
from diswot.bench import EMBEDDED
from diswot.bench.tables import markdown, number
from diswot.csv_table import read_table
from diswot.scorers import scorers


def catalogue() -> str:
    """Return what the card of every scorer of DisWOT says."""
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


def correlation(table: str, target: str) -> str:
    """Return one target of one correlation table, best score first."""
    rows = [r for r in read_table(EMBEDDED / f"correlation-{table}.csv") if r["target"] == target]
    rows.sort(key=lambda row: float(row["kendall"] or "-inf"), reverse=True)
    columns = [
        "score",
        "Kendall τ",
        "95 % interval",
        "one repeat ± sd",
        "Spearman ρ",
        "ρ in the top tenth",
        "regret of 1 / 5 / 10",
        "nDCG",
        "τ given parameters",
    ]
    return markdown(columns, [_correlation_row(row) for row in rows])


def _correlation_row(row: Mapping[str, str]) -> list[str]:
    single = "–"
    if row["single_sd"]:
        single = f"{number(row['single_mean'])} ± {number(row['single_sd'])}"
    failed = f" ({row['failed']} failed)" if row["failed"] != "0" else ""
    return [
        f"{row['scorer']}{failed}",
        number(row["kendall"]),
        f"{number(row['kendall_low'])} … {number(row['kendall_high'])}",
        single,
        number(row["spearman"]),
        number(row["spearman_top"]),
        " / ".join(number(row[f"regret_{top}"]) for top in (1, 5, 10)),
        number(row["ndcg"]),
        number(row["partial"]),
    ]


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
    """Return how well `student_fit`, its parts, baselines and others rank on every truth."""
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


def _fit_cell(row: Mapping[str, str]) -> str:
    interval = f"{number(row['kendall_low'])}, {number(row['kendall_high'])}"
    return (
        f"**{number(row['kendall'], '.3f')}** [{interval}]; "
        f"{number(row['partial'])}; {number(row['spearman_top'])}"
    )


def fidelity() -> str:
    """Return how well our scores agree with the published ones."""
    rows = [
        [
            row["scorer"],
            row["n"],
            number(row["spearman"], ".4f"),
            number(row["seed_to_seed"], ".4f"),
            "yes" if row["passed"] == "True" else "no",
        ]
        for row in read_table(RESULTS / "fidelity.csv")
    ]
    return markdown(
        ["score", "n", "ρ with the published values", "ρ between our seeds", "reached"], rows
    )


def paper(verdict: str) -> str:
    """Return published figures beside ours: that `agrees`, that `miss`, or the `first` claim's."""
    wanted = "no figure printed" if verdict == "first" else verdict
    rows = [
        [
            row["source"],
            row["setting"],
            row["quantity"],
            number(row["paper"], ".3f"),
            number(row["ours"], ".3f"),
            f"{number(row['low'])} … {number(row['high'])}",
            row["n"] or "–",
            row["remark"],
        ]
        for row in read_table(RESULTS / "paper.csv")
        if row["verdict"] == wanted
    ]
    return markdown(["from", "on", "what", "paper", "ours", "95 %", "n", ""], rows)


def speed(table: str) -> str:
    """Return one table of what scoring costs."""
    rows = [
        [f"`{row['what']}`", number(row["ms"], ".1f"), number(row["ratio"])]
        for row in read_table(RESULTS / "speed.csv")
        if row["table"] == table
    ]
    return markdown(["", "ms", "ratio"], rows)


def all_cells() -> str:
    """Return what scoring every cell of NAS-Bench-201 takes."""
    (row,) = read_table(RESULTS / "all-cells.csv")
    columns = ["cells", "classes", "processes", "minutes", "memory in GiB", "ms per class"]
    cells = [f"{int(row[name]):,}" for name in ("architectures", "classes", "workers")]
    cells += [number(row[name], ".1f") for name in ("minutes", "gib")]
    return markdown(columns, [[*cells, number(row["ms_per_class"], ".0f")]])
