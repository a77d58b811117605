"""The 6,561 networks of NAS-Bench-Macro."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from diswot.bench.ground_truths._download import DOWNLOADS, fetch
from diswot.bench.ground_truths._ground_truth import GroundTruth
from diswot.bench.ground_truths._table import accuracies, check_count
from diswot.csv_table import Table, read_csv
from diswot.search import measure_costs
from search_spaces import Architecture, NASBenchMacroSpace, Signature, TensorSpec

COSTS = {"params": "parameters", "flops": "multiply-adds"}
"""Column of the table → cost, in words."""

CLASSES = 10
IMAGES = Signature((TensorSpec("images", (3, 32, 32)),), CLASSES)


def nas_bench_macro_truth(root: Path, *, mirror: str | None = None) -> GroundTruth:
    """All 6,561 networks of NAS-Bench-Macro on CIFAR-10.

    Source: the table that its authors (Su et al., CVPR 2021) released; means of 3 seeds.
    """
    table = read_csv(fetch(DOWNLOADS["nas-bench-macro"], root, mirror=mirror))
    space = NASBenchMacroSpace()
    check_count(table.path, len(table.rows), expected=space.size)
    architectures = table.architectures(table.column("arch"), space)
    check_costs(table, architectures, space)
    return GroundTruth(
        name="nas-bench-macro",
        space=space,
        space_name="nas-bench-macro",
        data="cifar10",
        architectures=architectures,
        targets={"cifar10": accuracies(table, "acc")},
        depths=np.array([float(sum(layer != "id" for layer in arch)) for arch in architectures]),
    )


def check_costs(
    table: Table, architectures: tuple[Architecture, ...], space: NASBenchMacroSpace
) -> None:
    """Check that every network has the costs that the table lists.

    The cost of a layer does not depend on the other layers, so 17 networks give the costs of all.

    Raises:
        DataError: the costs of a network differ; the message names the first one.
    """
    listed = np.stack([table.numbers(column) for column in COSTS], axis=1)
    # Costs of the first architecture, plus the difference of each layer choice.
    first = next(iter(space))
    base = _costs(first, space)
    of_layer = {
        (place, arch[place]): _costs(arch, space) - base for place, arch in _neighbors(first, space)
    }
    for row, arch in enumerate(architectures):
        built = base + sum(of_layer.get(layer, 0) for layer in enumerate(arch))
        for what, expected, found in zip(COSTS.values(), listed[row], built, strict=True):
            if expected != found:
                raise table.error(
                    row,
                    f"{space.to_string(arch)} has {expected:,.12g} {what} in the table, but its "
                    f"network has {found:,}: copy the table again",
                )


def _neighbors(arch: Architecture, space: NASBenchMacroSpace) -> Iterator[tuple[int, Architecture]]:
    """Yield (layer index, architecture) for all architectures that differ in one layer."""
    for index, choice in enumerate(space.fields.values()):
        for option in choice.options:
            if option != arch[index]:
                yield index, space.architecture(*arch[:index], option, *arch[index + 1 :])


def _costs(arch: Architecture, space: NASBenchMacroSpace) -> NDArray[np.int64]:
    costs = measure_costs(partial(space.network, arch, IMAGES), IMAGES)
    return np.array([costs.params, costs.macs])
