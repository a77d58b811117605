"""The diagram of a network contains every parameter and multiply-add, for any space."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from diswot.networks.costs import measure_costs
from diswot.report._network import read_network
from diswot.search import SPACES, find_space
from tests.signatures import of_images, of_space

FAMILIES = [name for name in SPACES if not name.endswith("-224")]


@pytest.mark.parametrize("name", FAMILIES)
def test_stages_add_up_to_the_costs_of_the_network(name: str) -> None:
    signature = of_space(name)
    space = find_space(name, signature)
    arch = space.sample(np.random.default_rng(3))
    drawing = read_network(lambda: space.network(arch, signature), signature)
    costs = measure_costs(lambda: space.network(arch, signature), signature)
    assert drawing.params == costs.params
    assert sum(stage.params for stage in drawing.stages) + drawing.loose_params == costs.params
    assert sum(stage.macs for stage in drawing.stages) == costs.macs
    assert drawing.stages[-1].shape == (10,)


def test_the_diagram_has_the_blocks_of_the_architecture() -> None:
    space = find_space("s0", of_images(1, 32, 32))
    drawing = read_network(
        lambda: space.build(space.from_string("5-1-3"), 10), of_images(1, 16, 16)
    )
    blocks = [
        (stage.side, sum(block.repeats for block in stage.blocks if block.kind == "BasicBlock"))
        for stage in drawing.stages
    ]
    assert blocks == [(16, 5), (8, 1), (4, 3), (1, 0), (1, 0)]


class Wrapped(nn.Module):
    """A network inside a wrapper, with one activation that is used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = Pyramid()
        self.head = nn.Linear(16, 10)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.head(self.backbone(x).mean((2, 3)))
        return y


class Pyramid(nn.Module):
    """Four convolutions that each halve the resolution."""

    def __init__(self) -> None:
        super().__init__()
        self.relu = nn.ReLU()
        self.steps = nn.ModuleList(
            nn.Conv2d(inner, outer, 3, stride=2, padding=1)
            for inner, outer in ((3, 4), (4, 8), (8, 16), (16, 16))
        )
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, x: Tensor) -> Tensor:
        for step in self.steps:
            x = self.relu(step(x))
        return self.scale * x


def test_a_module_with_several_resolutions_is_split_into_parts() -> None:
    drawing = read_network(Wrapped, of_images(3, 32, 32))
    assert [str(stage) for stage in drawing.stages] == [
        "16×16, 4 channels",
        "8×8, 8 channels",
        "4×4, 16 channels",
        "2×2, 16 channels",
        "10 values",
    ]
    assert drawing.stages[0].blocks[0].kind == "Conv2d 3×3 (stride 2), ReLU"
    assert drawing.loose_params == 1


def test_a_layer_that_runs_twice_is_counted_once() -> None:
    def build() -> nn.Module:
        layer = nn.Conv2d(3, 3, 3, padding=1)
        return nn.Sequential(layer, nn.ReLU(), layer)

    drawing = read_network(build, of_images(3, 8, 8))
    assert drawing.stages[0].depth == 2
    assert drawing.stages[0].params == drawing.params == 84
    assert drawing.stages[0].macs == 2 * 81 * 64


def test_the_diagram_runs_no_computation_and_leaves_no_hooks() -> None:
    built: list[nn.Module] = []

    def build() -> nn.Module:
        built.append(nn.Sequential(nn.Conv2d(3, 8, 3)))
        return built[0]

    read_network(build, of_images(3, 8, 8))
    assert next(built[0].parameters()).is_meta
    assert not any(each._forward_hooks or each._forward_pre_hooks for each in built[0].modules())
