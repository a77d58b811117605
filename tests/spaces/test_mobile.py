"""The space of inverted residuals."""

import numpy as np
import pytest
import torch
from torch import nn

from diswot.networks.costs import Costs, measure_costs
from diswot.testing import check_space
from search_spaces import MobileSpace, Signature, TensorSpec
from tests.signatures import of_images


def images(side: int, channels: int = 3, outputs: int = 7) -> Signature:
    return Signature((TensorSpec("images", (channels, side, side)),), outputs)


@pytest.mark.parametrize("side", [16, 32, 96])
def test_the_space_follows_the_contract_at_every_image_size(side: int) -> None:
    check_space(MobileSpace(image_size=side), signature=images(side), draws=5)


@pytest.mark.parametrize("side", [32, 224])
def test_sizes_reach_from_20_thousand_to_5_million(side: int) -> None:
    space = MobileSpace(image_size=side)

    def params(width: float, kind: str, squeeze: bool) -> int:
        arch = space.architecture(side, width, squeeze, "relu", *[kind] * 5)
        return measure_costs(lambda: space.build(arch, 10), of_images(3, side, side)).params

    assert params(0.25, "d1k3e2", squeeze=False) <= 25_000
    assert params(1.5, "d3k5e6", squeeze=True) >= 5_000_000


def test_a_smaller_resolution_costs_less_for_the_same_weights() -> None:
    space = MobileSpace(image_size=64)

    def costs(side: int) -> Costs:
        arch = space.architecture(side, 1.0, True, "hardswish", *["d2k3e4"] * 5)
        return measure_costs(lambda: space.build(arch, 10), of_images(3, 64, 64))

    assert costs(64).params == costs(32).params
    assert costs(32).macs < costs(64).macs / 2


def test_large_images_get_a_stem_of_stride_two() -> None:
    space = MobileSpace(image_size=96)
    kinds = ["d1k3e2"] * 5
    strides = {}
    for side in (48, 96):
        network = space.build(space.architecture(side, 0.25, False, "relu", *kinds), 2)
        stem = next(each for each in network.modules() if isinstance(each, nn.Conv2d))
        strides[side] = stem.stride
    assert strides == {48: (1, 1), 96: (2, 2)}


def test_the_signature_determines_channels_and_image_size() -> None:
    space = MobileSpace(image_size=32)
    arch = space.sample(np.random.default_rng(3))
    network = space.network(arch, images(64, channels=1, outputs=32)).eval()
    assert network(torch.zeros(2, 1, 64, 64)).shape == (2, 32)


def test_inputs_that_are_not_images_are_refused() -> None:
    space = MobileSpace()
    arch = space.sample(np.random.default_rng(0))
    tokens = Signature((TensorSpec("ids", (None,), "int64", high=9),), 2)
    with pytest.raises(ValueError, match="images of one size"):
        space.network(arch, tokens)


@pytest.mark.parametrize("arguments", [{"image_size": 4}, {"resolutions": (64,)}], ids=str)
def test_sizes_without_networks_are_refused(arguments: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="Expected resolutions"):
        MobileSpace(**arguments)  # type: ignore[arg-type]
