"""The layout of a network (paths and shapes of its activations), found by one trial pass."""

import pytest
import torch
from torch import Tensor, nn

from diswot.errors import NetworkError
from diswot.networks import ActivationReader
from diswot.networks.layout import Tap, layout, paired
from search_spaces import CifarResNet
from tests.networks.test_taps import IMAGES, Transformer


class Wrapped(nn.Module):
    """A network with a wrapper that preprocesses its images."""

    mean: Tensor

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("mean", torch.zeros(3, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.network(images - self.mean)
        return logits


def resnet() -> CifarResNet:
    return CifarResNet((2, 1, 3), num_classes=4, widths=(4, 4, 8, 16))


def test_a_layout_has_all_feature_maps_and_ends_of_stages() -> None:
    found = layout(resnet(), IMAGES)
    assert found.maps["stem"] == found.maps["stages.0.1.conv2"] == (4, 16, 16)
    assert "head" not in found.maps
    assert [(first.path, last.path) for first, last in found.flows()] == [
        ("stages.0.0", "stages.0"),
        ("stages.1", "stages.1"),
        ("stages.2.0", "stages.2"),
    ]
    assert [tap.shape for tap in found.stages()] == [(4, 16, 16), (8, 8, 8), (16, 4, 4)]
    assert found.middle() == [Tap("stages.1", (8, 8, 8))]
    assert (found.feature_map, found.features, found.outputs) == ((16, 4, 4), 16, 4)


def test_a_transformer_has_thirds_of_its_layers_as_stages() -> None:
    found = layout(Transformer(7), IMAGES)
    assert [tap.path for tap in found.stages()] == ["layers.2", "layers.4", "layers.6"]
    assert all(tap.shape == (6, 4, 4) for tap in found.stages())


class ListBlock(nn.Module):
    """A residual block that has its layers in a list, as some libraries do."""

    def __init__(self, given: int, width: int) -> None:
        super().__init__()
        self.shortcut = nn.Sequential(nn.Conv2d(given, width, 1, 2), nn.BatchNorm2d(width))
        self.layer = nn.Sequential(
            nn.Sequential(nn.Conv2d(given, width, 3, 2, 1), nn.ReLU()),
            nn.Sequential(nn.Conv2d(width, width, 3, 1, 1), nn.BatchNorm2d(width)),
        )

    def forward(self, maps: Tensor) -> Tensor:
        summed: Tensor = self.layer(maps) + self.shortcut(maps)
        return summed.relu()


def test_a_stage_ends_with_a_block_not_a_layer_in_it() -> None:
    stages = nn.Sequential(nn.Sequential(ListBlock(3, 4)), nn.Sequential(ListBlock(4, 6)))
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 4)]
    found = layout(nn.Sequential(stages, *head), IMAGES)
    assert found.stages() == [Tap("0.0", (4, 8, 8)), Tap("0.1", (6, 4, 4))]


def test_a_tap_reads_the_output_of_the_module_at_its_path() -> None:
    network = resnet().eval()
    found = layout(network, IMAGES)
    tap, (last,) = found.tap("stages.0"), found.last()
    with ActivationReader(network, watches=[*tap.watches, *last.watches]) as read:
        activations = read(IMAGES)
    torch.testing.assert_close(tap.read(activations), network.stages[0](network.stem(IMAGES)))
    assert last.read(activations) is activations.feature_map


def test_a_wrapped_network_keeps_its_module_paths() -> None:
    network = resnet()
    assert layout(Wrapped(Wrapped(network)), IMAGES) == layout(network, IMAGES)
    tap = layout(Wrapped(network), IMAGES).tap("stages.1")
    with ActivationReader(Wrapped(network).eval(), watches=tap.watches) as read:
        assert tap.read(read(IMAGES)).shape == (2, 8, 8, 8)


def test_a_path_without_feature_map_suggests_the_closest_one() -> None:
    found = layout(resnet(), IMAGES, who="the student")
    with pytest.raises(NetworkError) as caught:
        found.tap("stages.3")
    message = str(caught.value)
    assert message.startswith("the student has no module 'stages.3' that returns a feature map")
    assert "stages.2 (16×4×4)" in message
    assert message.endswith(" more")
    assert "\n" not in message


def test_a_network_without_blocks_with_maps_has_no_stages() -> None:
    network = nn.Sequential(nn.MaxPool2d(2), nn.Flatten(), nn.Linear(192, 4))
    with pytest.raises(NetworkError, match="no block of the teacher returns a feature map"):
        layout(network, IMAGES, who="the teacher").stages()


@pytest.mark.parametrize("ours", range(1, 8))
@pytest.mark.parametrize("theirs", range(1, 8))
def test_layers_of_the_same_relative_depth_are_paired(ours: int, theirs: int) -> None:
    pairs = paired(range(ours), range(theirs))
    assert len(pairs) == min(ours, theirs)
    assert pairs[-1] == (ours - 1, theirs - 1)
    assert all(len(set(side)) == len(pairs) for side in zip(*pairs, strict=True))
    for own, other in pairs:
        assert abs((own + 1) / ours - (other + 1) / theirs) <= 0.5 / max(ours, theirs) + 1e-9


class Rectified(nn.Module):
    """A block that ends in a given activation function."""

    def __init__(self, activation: nn.Module) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(4, 4, 3, padding=1)
        self.activation = activation

    def forward(self, maps: Tensor) -> Tensor:
        rectified: Tensor = self.activation(self.activation(self.convolution(maps)) - 0.1)
        return rectified


def test_the_input_of_a_shared_in_place_activation_is_read() -> None:
    shared = nn.ReLU(inplace=True)
    blocks = [Rectified(shared), nn.AvgPool2d(2), Rectified(shared)]
    network = nn.Sequential(nn.Conv2d(3, 4, 3), *blocks, nn.Flatten(), nn.Linear(196, 2)).eval()
    found = layout(network, IMAGES)
    first, last = found.tap("1"), found.tap("3")
    before = [found.before_activation(tap) for tap in (first, last)]
    watches = {watch for tap in (first, last, *before) for watch in tap.watches}
    with ActivationReader(network, watches=[*watches]) as read:
        both = read(IMAGES)
    for tap, rectified in zip(before, (first, last), strict=True):
        assert tap.read(both).min() < 0
        assert tap.read(both).relu().equal(rectified.read(both))


def test_a_block_without_final_activation_is_read_at_its_output() -> None:
    found = layout(Transformer(3), IMAGES)
    assert all(found.before_activation(tap) is tap for tap in found.stages())
