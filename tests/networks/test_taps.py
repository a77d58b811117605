"""Taps: the layers at which two networks are compared."""

import pytest
import torch
from torch import Tensor, nn

from diswot.errors import NetworkError
from diswot.networks import ActivationReader, Activations
from diswot.networks.taps import (
    BLOCK_MAPS,
    common_height_and_width,
    common_shape,
    flows,
    pooled,
    stages,
)
from search_spaces import CifarResNet

IMAGES = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))


class Layer(nn.Module):
    """A block of a transformer, which returns its tokens in a tuple as some libraries do."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.mlp = nn.Linear(6, 6)
        self.number = number

    def forward(self, tokens: Tensor) -> tuple[Tensor]:
        return (torch.full_like(tokens, self.number),)


class Transformer(nn.Module):
    def __init__(self, depth: int) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 6, 4, 4)
        self.layers = nn.ModuleList(Layer(number) for number in range(1, depth + 1))
        self.head = nn.Linear(6, 4)

    def forward(self, images: Tensor) -> Tensor:
        tokens = self.patches(images).flatten(2).mT
        tokens = torch.cat([torch.zeros_like(tokens[:, :1]), tokens], dim=1)
        for layer in self.layers:
            (tokens,) = layer(tokens)
        logits: Tensor = self.head(tokens[:, 0])
        return logits


@torch.no_grad()
def activations_of(network: nn.Module) -> Activations:
    with ActivationReader(network.train(), watches=[BLOCK_MAPS]) as read:
        return read(IMAGES)


def test_stages_are_the_last_blocks_of_each_resolution() -> None:
    network = CifarResNet((2, 1, 3), num_classes=4, widths=(4, 4, 8, 16))
    outputs = [network.stem(IMAGES)]
    outputs.extend(stage(outputs[-1]) for stage in network.stages)
    found = stages(activations_of(network))
    assert len(found) == 3
    for ours, expected in zip(found, outputs[1:], strict=True):
        torch.testing.assert_close(ours, expected)


def test_flows_go_from_the_first_to_the_last_block_of_a_stage() -> None:
    network = CifarResNet((2, 1, 3), num_classes=4, widths=(4, 4, 8, 16))
    activations = activations_of(network)
    found = flows(activations)
    assert [first is last for first, last in found] == [False, True, False]
    assert all(last is stage for (_, last), stage in zip(found, stages(activations), strict=True))
    stage = network.stages[0]
    assert isinstance(stage, nn.Sequential)
    torch.testing.assert_close(found[0][0], stage[0](network.stem(IMAGES)))


@pytest.mark.parametrize(
    ("depth", "first", "last"),
    [
        (1, [1], [1]),
        (2, [1, 2], [1, 2]),
        (3, [1, 2, 3], [1, 2, 3]),
        (7, [1, 4, 6], [3, 5, 7]),
        (12, [1, 5, 9], [4, 8, 12]),
    ],
)
def test_blocks_of_one_resolution_make_thirds(
    depth: int, first: list[int], last: list[int]
) -> None:
    activations = activations_of(Transformer(depth))
    assert [int(maps.mean()) for maps in stages(activations)] == last
    assert [int(maps.mean()) for maps, _ in flows(activations)] == first
    assert all(maps.shape == (2, 6, 4, 4) for maps in stages(activations))


def test_a_flat_network_has_its_convolutions_as_blocks() -> None:
    network = nn.Sequential(
        *(nn.Conv2d(3, 5, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(5, 7, 3, padding=1), nn.Conv2d(7, 9, 3, padding=1)),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(9, 4)),
    )
    assert [maps.shape[1:] for maps in stages(activations_of(network))] == [(5, 16, 16), (9, 8, 8)]
    assert [maps.shape[1:] for maps, _ in flows(activations_of(network))] == [
        (5, 16, 16),
        (7, 8, 8),
    ]


def test_a_network_without_blocks_with_maps_is_refused() -> None:
    network = nn.Sequential(nn.MaxPool2d(2), nn.Flatten(), nn.Linear(192, 4))
    with pytest.raises(
        NetworkError, match="no block of the network returns a feature map"
    ) as caught:
        stages(activations_of(network))
    assert "\n" not in str(caught.value)


def test_the_common_shape_is_the_smaller_of_each() -> None:
    assert common_shape((16, 8, 4), (4, 4, 8)) == (4, 4, 4)
    assert common_height_and_width((16, 8, 4), (4, 4, 8)) == (16, 4, 4)


def test_pooling_averages_positions_and_neighboring_channels() -> None:
    maps = torch.randn(2, 6, 4, 4)
    expected = maps.reshape(2, 3, 2, 2, 2, 2, 2).mean(dim=(2, 4, 6))
    torch.testing.assert_close(pooled(maps, (3, 2, 2)), expected)
    features = torch.randn(2, 6)
    torch.testing.assert_close(pooled(features, (3,)), features.reshape(2, 3, 2).mean(dim=2))


def test_maps_of_the_right_shape_are_unchanged() -> None:
    maps, features = torch.randn(2, 6, 4, 4), torch.randn(2, 6)
    assert pooled(maps, (6, 4, 4)) is maps
    assert pooled(features, (6,)) is features
