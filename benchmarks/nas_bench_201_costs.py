"""Parameters and multiply-adds of all 15,625 cells against the benchmark's table."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from diswot.bench.record_store import processes
from diswot.csv_table import read_table
from diswot.progress import Progress, tracked
from diswot.search import measure_costs
from search_spaces import NASBench201Space, Signature, TensorSpec

IMAGES = Signature((TensorSpec("images", (3, 32, 32)),), 100)


@dataclass(frozen=True)
class CostCheck:
    """Numbers of cells that agree with the table to its printed precision.

    Attributes:
        architectures: cells in the table.
        params_equal: parameters in millions equal to three decimals.
        macs_equal: multiply-adds in millions equal to two decimals.
        classes: isomorphism classes found.
        classes_equal: whether they are the table's, one to one.
    """

    architectures: int
    params_equal: int
    macs_equal: int
    classes: int
    classes_equal: bool


def check_costs(root: Path, progress: Progress, *, workers: int = 2) -> CostCheck:
    """Build every cell on the meta device and compare."""
    rows = read_table(root / "nas-bench-201" / "accuracies.csv")
    space = NASBench201Space()
    with processes(workers) as pool:
        printed = pool.map(_printed_costs, (row["arch"] for row in rows), chunksize=100)
        costs = list(tracked(printed, progress, "costs of all cells", len(rows)))
    pairs = {(space.canonical_key(space.from_string(row["arch"])), row["unique"]) for row in rows}
    keys, theirs = zip(*pairs, strict=True)
    return CostCheck(
        architectures=len(rows),
        params_equal=sum(
            params == f"{float(row['params_M']):.3f}"
            for (params, _), row in zip(costs, rows, strict=True)
        ),
        macs_equal=sum(
            macs == f"{float(row['flops_M']):.2f}"
            for (_, macs), row in zip(costs, rows, strict=True)
        ),
        classes=len(set(keys)),
        classes_equal=len(set(keys)) == len(set(theirs)) == len(pairs),
    )


def _printed_costs(arch: str) -> tuple[str, str]:
    space = NASBench201Space()
    build = partial(space.network, space.from_string(arch), IMAGES)
    costs = measure_costs(build, IMAGES)
    return f"{costs.params / 1e6:.3f}", f"{costs.macs / 1e6:.2f}"
