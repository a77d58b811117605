"""The tables of the docs, from scorers' cards and the committed results."""

import re
from collections.abc import Callable, Mapping
from itertools import chain
from pathlib import Path

import diswot.scorers
from benchmarks.evidence import AGGREGATES
from benchmarks.results_folder import RESULTS
from benchmarks.tables import markdown, number
from diswot.csv_table import read_table
from diswot.distillation.losses import PRESETS, terms
from diswot.scorers import scorers

DOCS = Path(__file__).parents[1] / "docs"

ENGINES = ("evolution", "regularised")
"""Beside random search in the tables of searches."""

_MARKED = re.compile(r"(<!-- table: (\w+)((?: [\w-]+)*) -->\n).*?(<!-- end -->)", re.DOTALL)


def filled(page: str) -> str:
    """Return a page with every marked table made anew.

    A table stands between `<!-- table: NAME ARGUMENT… -->` and `<!-- end -->`.
    """
    return _MARKED.sub(
        lambda found: f"{found[1]}\n{_TABLES[found[2]](*found[3].split())}\n\n{found[4]}", page
    )


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


def losses() -> str:
    """Return what the card of every term of a loss of DisWOT says."""
    rows = [
        [
            f"`{name}`",
            kind.card.summary,
            kind.card.reads,
            f"{kind.card.weight:g}",
            kind.card.weight_source,
            ", ".join(f"`{option}`" for option in kind.written_options()) or "–",
            kind.card.source,
        ]
        for name, kind in sorted(terms().items())
        if kind.given.__module__.startswith("diswot.")
    ]
    columns = ["term", "what it compares", "reads", "weight", "weight from", "options", "from"]
    return markdown(columns, rows)


def presets() -> str:
    """Return the losses that have a name."""
    rows = [[f"`{name}`", f"`{p.expression}`", p.summary] for name, p in PRESETS.items()]
    return markdown(["`--loss`", "stands for", "what it is"], rows)


def correlation(table: str, target: str) -> str:
    """Return one target of one correlation table, best score first."""
    rows = [r for r in read_table(RESULTS / f"correlation-{table}.csv") if r["target"] == target]
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
        for row in chain(*(read_table(RESULTS / f"correlation-{table}.csv") for table in tables)):
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


def lasting() -> str:
    """Return what stopping, workers and long journals do to a search."""
    rows = [
        [row["what"], f"{float(row['value']):,.3g} {row['unit']}", row["how"]]
        for row in read_table(RESULTS / "lasting.csv")
    ]
    return markdown(["what", "measured", "on"], rows)


def search(truth: str, after: str) -> str:
    """Return what engines find on one ground truth after so many evaluations."""
    rows = [
        row
        for row in read_table(RESULTS / "search.csv")
        if (row["truth"], row["evaluations"]) == (truth, after)
    ]
    found = {(row["budget"], row["scorer"], row["engine"]): row for row in rows}
    columns = ["budget", "score", "best-scored", "random", "evolution", "gain", "wins", "p"]
    return markdown(
        [*columns, "regularised", "evolution is", "ms"],
        [
            _search_row(each, *(found[budget, scorer, engine] for engine in ENGINES))
            for (budget, scorer, name), each in found.items()
            if name == "random"
        ],
    )


def _search_row(
    random: Mapping[str, str], evolution: Mapping[str, str], regularised: Mapping[str, str]
) -> list[str]:
    gain = f"{float(evolution['difference']):+.2f}"
    why = f": {evolution['why']}" if evolution["why"] else ""
    return [
        random["budget"],
        random["scorer"],
        number(random["top_scored"]),
        _with_quartiles(random),
        _with_quartiles(evolution),
        f"{gain} [{number(evolution['difference_low'])}, {number(evolution['difference_high'])}]",
        number(evolution["wins"]),
        number(evolution["p"], ".2g"),
        _with_quartiles(regularised),
        f"{evolution['verdict']}{why}",
        number(evolution["milliseconds"], ".0f"),
    ]


def _with_quartiles(row: Mapping[str, str]) -> str:
    low, high = number(row["lower_quartile"]), number(row["upper_quartile"])
    return f"{number(row['accuracy'])} [{low}, {high}]"


def taught(data: str) -> str:
    """Return what each loss makes of each student on a dataset."""
    rows = [row for row in read_table(RESULTS / "losses.csv") if row["data"] == data]
    teacher = f"{rows[0]['teacher']} ({number(rows[0]['teacher_accuracy'], '.1f')} %)"
    columns = ["student", "loss", "accuracy in % ± sd", "gain", "p", f"taught by {teacher} it is"]
    return markdown(
        columns,
        [
            [
                row["student"],
                f"`{row['loss']}`",
                f"{number(row['accuracy'], '.1f')} ± {number(row['sd'], '.1f')}",
                number(row["gain"], "+.1f"),
                number(row["adjusted"], ".3f"),
                row["verdict"] or "–",
            ]
            for row in rows
        ],
    )


def shortlists() -> str:
    """Return what a shortlist buys over the best-scored student."""
    columns = ["data", "trained", "epochs in all", "of the last training", "students by seed"]
    return markdown(
        [*columns, "accuracy in % ± sd", "gain", "p"],
        [
            [
                row["data"],
                "best-scored" if row["method"] == "first" else f"shortlist of {row['count']}",
                row["epochs"],
                row["last_epochs"],
                row["students"],
                f"{number(row['accuracy'], '.1f')} ± {number(row['sd'], '.1f')}",
                number(row["gain"], "+.1f"),
                number(row["p"], ".3f"),
            ]
            for row in read_table(RESULTS / "shortlist.csv")
        ],
    )


def training_speed() -> str:
    """Return what the training loop costs beside the networks."""
    columns = ["augmentation", "bare step in ms", "step in ms", "of it waiting for data"]
    return markdown(
        [*columns, "step over bare step"],
        [
            [
                f"`{row['augment']}`",
                number(row["bare_ms"], ".0f"),
                number(row["step_ms"], ".0f"),
                f"{100 * float(row['waiting']):.1f} %",
                number(row["overhead"]),
            ]
            for row in read_table(RESULTS / "training-speed.csv")
        ],
    )


_TABLES: Mapping[str, Callable[..., str]] = {
    "all_cells": all_cells,
    "catalogue": catalogue,
    "correlation": correlation,
    "fidelity": fidelity,
    "lasting": lasting,
    "losses": losses,
    "paper": paper,
    "presets": presets,
    "search": search,
    "shortlists": shortlists,
    "speed": speed,
    "student_fit": student_fit,
    "taught": taught,
    "training_speed": training_speed,
}


def main() -> None:
    """Make the tables of all pages anew."""
    for page in sorted(DOCS.glob("*.md")):
        page.write_text(filled(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
