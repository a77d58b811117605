"""The 15,625 cells of NAS-Bench-201."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from diswot.bench.ground_truths._download import DOWNLOADS, fetch
from diswot.bench.ground_truths._ground_truth import GroundTruth
from diswot.bench.ground_truths._table import accuracies, check_count
from diswot.csv_table import Table, read_csv
from search_spaces import Architecture, NASBench201Space
from search_spaces.nas_bench_201 import EDGES

REQUIRED = {"cifar10": "c10_test", "cifar100": "c100_test"}
SHORT = {"cifar10-12ep": "c10_test_12ep", "cifar100-12ep": "c100_test_12ep"}
NOT_MEASURED = ("index", "arch", "unique", "flops_M", "params_M")
DATASETS = {"c10": "cifar10", "c10valid": "cifar10", "c100": "cifar100", "in16": "imagenet16-120"}


def nas_bench_201_truth(root: Path, *, mirror: str | None = None) -> GroundTruth:
    """All 15,625 cells of NAS-Bench-201 on CIFAR-10 and CIFAR-100, after 200 and 12 epochs.

    Source: Dong and Yang, ICLR 2020, in the measurements of NATS-Bench; means over seeds.
    Further columns of numbers are targets under their own names. Those that begin with
    `c100_` are scored on CIFAR-100, with `in16_` on ImageNet16-120, others on CIFAR-10.
    """
    table = read_csv(fetch(DOWNLOADS["nas-bench-201"], root, mirror=mirror))
    space = NASBench201Space()
    texts = table.column("arch")
    check_count(table.path, len(table.rows), expected=space.size)
    architectures = table.architectures(texts, space)
    known = REQUIRED | {name: col for name, col in SHORT.items() if col in table.columns}
    further = {name: name for name in _further(table)}
    measured = {name: accuracies(table, column) for name, column in known.items()}
    measured |= {name: table.numbers(name) for name in further}
    return GroundTruth(
        name="nas-bench-201",
        space=space,
        space_name="nas-bench-201",
        data="cifar10",
        architectures=architectures,
        targets=measured,
        depths=np.array([_convolutions_in_sequence(arch) for arch in architectures]),
        datasets={
            name: DATASETS.get(column.partition("_")[0], "cifar10")
            for name, column in (known | further).items()
        },
    )


def _further(table: Table) -> Iterator[str]:
    """Yield further columns whose first cell is a number."""
    named = (*REQUIRED.values(), *SHORT.values(), *NOT_MEASURED)
    for name in table.columns:
        if name not in named and _is_number(table.column(name)[0]):
            yield name


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _convolutions_in_sequence(arch: Architecture) -> float:
    """Return the largest number of convolutions on a path without `none`."""
    # Longest path from node 0 by dynamic programming; edges are sorted by target node.
    depth = [0.0, -np.inf, -np.inf, -np.inf]
    for (node, source), operation in zip(EDGES, arch, strict=True):
        if operation != "none":
            depth[node] = max(depth[node], depth[source] + ("conv" in operation))
    return max(depth[3], 0.0)
