"""Parameters and multiply-adds, and the cells of NAS-Bench-201."""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from diswot.errors import OptionError
from diswot.latency import time_network
from diswot.networks.costs import costs_of
from diswot.search import SPACES, Budget, Costs, find_space, measure_costs
from search_spaces import CifarResNet, NASBench201Space, Signature
from tests.signatures import of_images, of_space


def test_costs_are_the_sums_over_the_layers() -> None:
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
    assert measure_costs(lambda: network.to("meta"), of_images(3, 8, 8)) == Costs(params, macs)


def test_counting_costs_allocates_no_memory() -> None:
    seen: list[str] = []

    def huge() -> nn.Module:
        network = CifarResNet((1, 1), num_classes=10, widths=(64, 20_000, 20_000))
        seen.extend(parameter.device.type for parameter in network.parameters())
        return network

    assert measure_costs(huge, of_images(3, 32, 32)).params > 7e9
    assert set(seen) == {"meta"}


def plainly_counted(build: Callable[[], nn.Module], signature: Signature) -> Costs:
    """Count with torch's counter on meta tensors."""
    with torch.device("meta"):
        network = build().eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(*signature.example(1, device="meta"))
    params = sum(parameter.numel() for parameter in network.parameters())
    return Costs(params, counter.get_total_flops() // 2)


@pytest.mark.slow
@pytest.mark.parametrize("name", SPACES)
@settings(max_examples=4)
@given(seed=st.integers(0, 2**32))
def test_multiply_adds_equal_torchs_counter(name: str, seed: int) -> None:
    signature = of_space(name, size=224 if name.endswith("224") else 32)
    space = find_space(name, signature)
    build = partial(space.network, space.sample(np.random.default_rng(seed)), signature)
    assert measure_costs(build, signature) == plainly_counted(build, signature)


class FunctionModule(nn.Module):
    """A network that applies one function to its images."""

    def __init__(self, function: Callable[[Tensor], Tensor], *parts: nn.Module) -> None:
        super().__init__()
        self.function = function
        self.parts = nn.ModuleList(parts)

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


def attending() -> nn.Module:
    attention = nn.MultiheadAttention(36, 2, batch_first=True)
    return FunctionModule(lambda x: attention(*[x.flatten(2)] * 3)[0], attention)


def recurrent() -> nn.Module:
    cell = nn.LSTM(36, 4, batch_first=True)
    return FunctionModule(lambda x: cell(x.flatten(2))[0], cell)


def filled_by_keyword() -> nn.Module:
    network = nn.Linear(6, 5)
    with torch.no_grad():
        torch.fill_(input=network.weight, value=1.0)
        nn.init.normal_(tensor=network.bias)
    return network


UNUSUAL: dict[str, Callable[[], nn.Module]] = {
    "padding same": lambda: nn.Conv2d(4, 6, 3, padding="same", dilation=2),
    "groups, stride, dilation": lambda: nn.Conv2d(4, 6, (3, 1), (2, 1), (1, 0), (2, 1), groups=2),
    "circular padding": lambda: nn.Conv2d(4, 6, 3, padding=1, padding_mode="circular"),
    "transposed": lambda: nn.ConvTranspose2d(4, 6, 3, stride=2),
    "one dimension": lambda: nn.Sequential(nn.Flatten(2), nn.Conv1d(4, 6, 3)),
    "keywords": lambda: FunctionModule(lambda x: F.conv2d(input=x, weight=x.new_empty(2, 4, 3, 3))),
    "ceiled pooling": lambda: nn.Sequential(nn.AvgPool2d(3, 2, ceil_mode=True), nn.Conv2d(4, 2, 1)),
    "pooling": lambda: nn.Sequential(nn.AvgPool2d((3, 1)), nn.MaxPool2d(2, 1), nn.Conv2d(4, 2, 1)),
    "adaptive": lambda: nn.Sequential(nn.AdaptiveAvgPool2d((None, 3)), nn.Conv2d(4, 2, 1)),
    "one number": lambda: FunctionModule(lambda x: F.linear(x.flatten(), x.new_empty(3, 144))),
    "no matrix": lambda: FunctionModule(lambda x: x.flatten() @ x.flatten()),
    "broadcast products": lambda: FunctionModule(lambda x: x @ x.new_empty(6, 5)),
    "broadcast sums": lambda: FunctionModule(lambda x: (x.new_empty(4, 1, 6) + x[:, :, :1]) @ x),
    "einsum": lambda: FunctionModule(lambda x: torch.einsum("bchw,bdhw->bcd", x, x)),
    "operators of torch": lambda: FunctionModule(lambda x: torch.ops.aten.mm(x[0, 0], x[0, 1])),
    "whole numbers": lambda: FunctionModule(
        lambda x: (torch.zeros_like(x, dtype=torch.int) / 2) @ x
    ),
    "attention": attending,
    "fused attention": lambda: FunctionModule(lambda x: F.scaled_dot_product_attention(x, x, x)),
    "recurrent": recurrent,
    "filled by keyword": filled_by_keyword,
    "bilinear": lambda: FunctionModule(lambda x: F.bilinear(x, x, x.new_empty(3, 6, 6))),
}


@pytest.mark.parametrize("build", UNUSUAL.values(), ids=UNUSUAL)
def test_unusual_operations_are_counted(build: Callable[[], nn.Module]) -> None:
    assert measure_costs(build, of_images(4, 6, 6)) == plainly_counted(build, of_images(4, 6, 6))


@pytest.mark.parametrize(
    "build",
    [lambda: nn.Conv2d(5, 8, 3), lambda: nn.Conv2d(4, 8, 9), lambda: nn.Linear(5, 8)],
    ids=["channels", "kernel", "features"],
)
def test_a_network_that_cannot_run_raises_the_error_of_torch(
    build: Callable[[], nn.Module],
) -> None:
    with pytest.raises(RuntimeError):
        measure_costs(build, of_images(4, 6, 6))


class Branching(nn.Conv2d):
    """A convolution that reads values of its input."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the convolution of x, or of x + 1 if all values are 0."""
        return super().forward(x if x.any().item() else x + 1)


@pytest.mark.parametrize("kind", [nn.Conv2d, Branching])
def test_costs_of_a_built_network_do_not_change_it(kind: type[nn.Conv2d]) -> None:
    network = nn.Sequential(kind(4, 8, 3), nn.BatchNorm2d(8))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    assert costs_of(network, of_images(4, 6, 6)) == Costs(4 * 8 * 9 + 8 + 16, 4 * 8 * 9 * 16)
    assert network.training
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


class Residual(nn.Module):
    """x + conv(relu(conv(x)))."""

    def __init__(self, *, inplace: bool) -> None:
        super().__init__()
        self.first = nn.Conv2d(4, 16, 3, padding=1)
        self.relu = nn.ReLU(inplace=inplace)
        self.second = nn.Conv2d(16, 4, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = x + self.second(self.relu(self.first(x)))
        return y


def conv(in_channels: int, out_channels: int) -> nn.Module:
    return nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False)


# Channels of 6×6 floats that are alive at the same time, the input's four among them, which
# the caller of a network holds to the end.
MEMORY: dict[str, tuple[Callable[[], nn.Module], int]] = {
    "one layer": (lambda: conv(4, 8), 4 + 8),
    "a chain": (lambda: nn.Sequential(conv(4, 8), conv(8, 2), conv(2, 5)), 4 + 8 + 2),
    "a chain, late peak": (lambda: nn.Sequential(conv(4, 2), conv(2, 5), conv(5, 6)), 4 + 5 + 6),
    "a new ReLU": (lambda: nn.Sequential(conv(4, 8), nn.ReLU()), 4 + 8 + 8),
    "an in-place ReLU": (lambda: nn.Sequential(conv(4, 8), nn.ReLU(inplace=True)), 4 + 8),
    "a normalization": (lambda: nn.Sequential(conv(4, 8), nn.BatchNorm2d(8)), 4 + 8 + 8),
    "a view": (lambda: nn.Sequential(conv(4, 8), nn.Flatten()), 4 + 8),
    "a shortcut": (lambda: Residual(inplace=False), 4 + 16 + 16),
    "a shortcut, in place": (lambda: Residual(inplace=True), 4 + 16 + 4),
    "a shortcut in a chain": (
        # In the block: the chain's input, the block's input, then both convolutions' outputs.
        lambda: nn.Sequential(conv(4, 4), Residual(inplace=True)),
        4 + 4 + 16 + 4,
    ),
    "an unknown function": (lambda: FunctionModule(lambda x: torch.cumsum(x, dim=1)), 4 + 4),
}


@pytest.mark.parametrize(("build", "channels"), MEMORY.values(), ids=MEMORY)
def test_memory_is_the_peak_of_live_activations(
    build: Callable[[], nn.Module], channels: int
) -> None:
    assert measure_costs(build, of_images(4, 6, 6), memory=True).memory == channels * 36 * 4


def test_memory_does_not_change_the_counts() -> None:
    space = NASBench201Space()
    build = partial(space.build, space.sample(np.random.default_rng(0)), 10)
    alone, both = (
        measure_costs(build, of_images(3, 32, 32), memory=memory) for memory in (False, True)
    )
    assert alone.memory is None
    assert (both.params, both.macs) == (alone.params, alone.macs)


@pytest.mark.parametrize("limit", [0, -1, 1.5, "300k"])
def test_a_budget_is_a_positive_whole_number(limit: object) -> None:
    with pytest.raises(OptionError, match="at least 1, but got"):
        Budget(params=limit)  # type: ignore[arg-type]


def test_a_budget_checks_every_limit() -> None:
    budget = Budget(params=100, macs=50)
    assert budget.allows(Costs(100, 50))
    assert not budget.allows(Costs(101, 50))
    assert not budget.allows(Costs(100, 51))


def test_latency_is_measured_in_milliseconds() -> None:
    network = CifarResNet((1, 1, 1), num_classes=10).train()
    assert 0 < time_network(network, of_images(3, 32, 32)).median_ms < 1000


@pytest.fixture(name="rows", scope="module")
def fixture_rows(shared_data: Path) -> Iterator[list[Mapping[str, str]]]:
    with (shared_data / "nas-bench-201" / "accuracies.csv").open(encoding="utf-8") as file:
        yield list(csv.DictReader(file))


def test_nas_bench_201_has_the_published_isomorphism_classes(
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
    """Return the numbers of 1×1 and 3×3 convolutions, which determine the costs of a cell."""
    return arch.count("conv_1x1"), arch.count("conv_3x3")


def costs_by_mix(archs: Iterable[str], num_classes: int) -> dict[tuple[int, int], Costs]:
    """Build one cell for every mix of convolutions, so that tests do not build all 15,625."""
    space = NASBench201Space()
    examples = {convolutions(arch): space.from_string(arch) for arch in archs}
    return {
        mix: measure_costs(partial(space.build, arch, num_classes), of_images(3, 32, 32))
        for mix, arch in examples.items()
    }


@pytest.mark.slow
def test_nas_bench_201_costs_equal_the_published_ones(rows: list[Mapping[str, str]]) -> None:
    # In 150 rows the benchmark has the costs of another cell that is equal up to
    # skip connections; for these rows, too, our costs are those of the cell itself, as
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


def test_nas_bench_201_parameter_counts_equal_naslib(shared_data: Path) -> None:
    with (shared_data / "nas-bench-201" / "reference_proxies.csv").open(encoding="utf-8") as file:
        published = {row["arch"]: float(row["params"]) for row in csv.DictReader(file)}
    assert len(published) == 1000
    ours = costs_by_mix(published, 10)
    assert all(
        round(params * 1e6) == ours[convolutions(arch)].params for arch, params in published.items()
    )


def up_to_skip_connections(arch: Sequence[str]) -> str:
    """Return the cell's output as an expression without its skip connections."""
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


def test_isomorphic_cells_compute_the_same_outputs() -> None:
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
