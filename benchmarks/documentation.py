"""The tables of the docs, from the committed results."""

import csv
from collections.abc import Mapping
from pathlib import Path

RESULTS = Path(__file__).parent / "results"
DOCS = Path(__file__).parents[1] / "docs"


def read_results(table: str, folder: Path = RESULTS) -> list[Mapping[str, str]]:
    """Read a table of results."""
    with (folder / f"{table}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def correlation_table(truth: str, folder: Path = RESULTS) -> str:
    """Return the Markdown table of one ground truth, best score first."""
    rows = [row for row in read_results("correlation", folder) if row["truth"] == truth]
    rows.sort(key=lambda row: float(row["kendall"]), reverse=True)
    lines = [
        "| score | Kendall τ | 95 % interval | one repeat alone, mean ± sd | Spearman ρ "
        "| τ given depth and parameters |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        single = (
            f"{float(row['single_mean']):.2f} ± {float(row['single_sd']):.2f}"
            if row["single_mean"]
            else "–"
        )
        partial = f"{float(row['partial']):.2f}" if row["partial"] else "–"
        lines.append(
            f"| {row['score']} | {float(row['kendall']):.2f} "
            f"| {float(row['low']):.2f} … {float(row['high']):.2f} | {single} "
            f"| {float(row['spearman']):.2f} | {partial} |"
        )
    return "\n".join(lines)


def speed_table(folder: Path = RESULTS) -> str:
    """Return the Markdown table of what scoring costs."""
    (row,) = read_results("speed", folder)
    names = {
        "forward_ms": "bare forward pass, `torch.inference_mode`, network given",
        "score_ms": "score `diswot`: build and initialise, forward pass, both terms",
        "build_ms": "of that, building and initialising the network",
        "readme_ms": "README's procedure: build, student and teacher forward and backward",
        "budget_ms": "counting parameters and multiply-adds on the meta device",
    }
    lines = ["| per architecture | ms | of a bare forward pass |", "|---|---|---|"]
    for name, meaning in names.items():
        ratio = float(row[name]) / float(row["forward_ms"])
        lines.append(f"| {meaning} | {float(row[name]):.0f} | {ratio:.2f} |")
    return "\n".join(lines)
