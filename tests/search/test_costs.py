"""Parameters and multiply-adds, and the cells of NAS-Bench-201."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import nn

from diswot.errors import OptionError
from diswot.search import Budget, Costs, measure_costs, measure_latency
from search_spaces import CifarResNet, NASBench201Space


def test_costs_are_those_of_the_layers() -> None:
    network = nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2, padding=1, groups=1, bias=False),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Conv2d(8, 8, 3, padding=1, groups=8, bias=False),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 10),
    )
    params = 3 * 8 * 9 + 2 * 8 + 8 * 9 + 8 * 10 + 10
    macs = 3 * 8 * 9 * 16 + 8 * 9 * 16 + 8 * 10
    assert measure_costs(lambda: network.to("meta"), (3, 8, 8)) == Costs(params, macs)


def test_nothing_is_allocated_to_count() -> None:
    seen: list[str] = []

    def huge() -> nn.Module:
        network = CifarResNet((1, 1), num_classes=10, widths=(64, 20_000, 20_000))
        seen.extend(parameter.device.type for parameter in network.parameters())
        return network

    assert measure_costs(huge, (3, 32, 32)).params > 7e9
    assert set(seen) == {"meta"}


@pytest.mark.parametrize("limit", [0, -1, 1.5, "300k"])
def test_a_budget_is_a_positive_whole_number(limit: object) -> None:
    with pytest.raises(OptionError, match="at least 1, but got"):
        Budget(params=limit)  # type: ignore[arg-type]


def test_a_budget_holds_every_limit() -> None:
    budget = Budget(params=100, macs=50)
    assert budget.allows(Costs(100, 50))
    assert not budget.allows(Costs(101, 50))
    assert not budget.allows(Costs(100, 51))


def test_latency_is_measured_in_milliseconds() -> None:
    network = CifarResNet((1, 1, 1), num_classes=10).train()
    assert 0 < measure_latency(network, (3, 32, 32), device="cpu") < 1000


@pytest.fixture(name="rows", scope="module")
def fixture_rows(shared_data: Path) -> Iterator[list[Mapping[str, str]]]:
    with (shared_data / "nas-bench-201" / "accuracies.csv").open(encoding="utf-8") as file:
        yield list(csv.DictReader(file))


def test_nas_bench_201_has_the_isomorphism_classes_of_the_benchmark(
    rows: list[Mapping[str, str]],
) -> None:
    space = NASBench201Space()
    archs = [space.from_string(row["arch"]) for row in rows]
    assert [space.to_string(arch) for arch in archs] == [row["arch"] for row in rows]
    pairs = {
        (space.canonical_key(arch), row["unique"]) for arch, row in zip(archs, rows, strict=True)
    }
    assert len(archs) == space.size == 15_625
    assert len(pairs) == len({ours for ours, _ in pairs}) == len({u for _, u in pairs}) == 6_466


def convolutions(arch: str) -> tuple[int, int]:
    """Return what the costs of a cell depend on: its numbers of 1×1 and 3×3 convolutions."""
    return arch.count("conv_1x1"), arch.count("conv_3x3")


def costs_by_mix(archs: Iterable[str], num_classes: int) -> dict[tuple[int, int], Costs]:
    """Build one cell of each mix of convolutions, so that a test need not build all 15,625."""
    space = NASBench201Space()
    examples = {convolutions(arch): space.from_string(arch) for arch in archs}
    return {
        mix: measure_costs(partial(space.build, arch, num_classes), (3, 32, 32))
        for mix, arch in examples.items()
    }


def test_nas_bench_201_costs_are_the_benchmarks(rows: list[Mapping[str, str]]) -> None:
    # In 150 rows the benchmark prints the costs of another cell, one that is equal up to
    # skip connections; there, too, ours are the costs of the cell's own operations, as
    # the next test shows. `python -m benchmarks costs` builds every cell.
    space = NASBench201Space()
    ours = costs_by_mix((row["arch"] for row in rows), 100)
    assert len(ours) == 28
    printed = {m: (f"{c.params / 1e6:.3f}", f"{c.macs / 1e6:.2f}") for m, c in ours.items()}
    alike: dict[str, set[tuple[str, str]]] = {}
    for row in rows:
        key = up_to_skip_connections(space.from_string(row["arch"]))
        alike.setdefault(key, set()).add(printed[convolutions(row["arch"])])
    equal = 0
    for row in rows:
        theirs = (f"{float(row['params_M']):.3f}", f"{float(row['flops_M']):.2f}")
        equal += theirs == printed[convolutions(row["arch"])]
        assert theirs in alike[up_to_skip_connections(space.from_string(row["arch"]))]
    assert equal == 15_475


def test_nas_bench_201_parameters_are_naslibs_to_the_last(shared_data: Path) -> None:
    with (shared_data / "nas-bench-201" / "reference_proxies.csv").open(encoding="utf-8") as file:
        published = {row["arch"]: float(row["params"]) for row in csv.DictReader(file)}
    assert len(published) == 1000
    ours = costs_by_mix(published, 10)
    assert all(
        round(params * 1e6) == ours[convolutions(arch)].params for arch, params in published.items()
    )


def up_to_skip_connections(arch: Sequence[str]) -> str:
    """Return the cell's output as an expression in which only skip connections vanish."""
    nodes = ["0"]
    edges = iter(arch)
    for node in (1, 2, 3):
        terms = []
        for source in range(node):
            name = next(edges)
            skip = name == "skip_connect"
            terms.append(nodes[source] if skip else f"({nodes[source]})@{name}")
        nodes.append("+".join(sorted(terms)))
    return nodes[3]


def test_isomorphic_cells_compute_the_same() -> None:
    space = NASBench201Space(cells=1, channels=4)
    alike = [
        "|skip_connect~0|+|none~0|avg_pool_3x3~1|+|none~0|none~1|skip_connect~2|",
        "|none~0|+|avg_pool_3x3~0|none~1|+|none~0|none~1|skip_connect~2|",
    ]
    archs = [space.from_string(text) for text in alike]
    assert space.canonical_key(archs[0]) == space.canonical_key(archs[1])
    images = torch.randn(2, 3, 16, 16)
    outputs = []
    for arch in archs:
        torch.manual_seed(0)
        outputs.append(space.build(arch, 10).eval()(images))
    torch.testing.assert_close(outputs[0], outputs[1])
