"""The size space of NATS-Bench: its networks match the benchmark."""

from functools import partial

import numpy as np
import pytest
import torch

from diswot.networks.costs import measure_costs
from diswot.search import find_space
from diswot.testing import check_space
from search_spaces import NASBench201Space, NATSSizeSpace, Signature, TensorSpec
from tests.signatures import of_images

SPACE = NATSSizeSpace()
IMAGES = Signature((TensorSpec("images", (3, 16, 16)),), 7)


def test_the_space_follows_the_contract() -> None:
    check_space(NATSSizeSpace(), signature=IMAGES, draws=5)


@pytest.mark.parametrize(
    ("text", "params"),
    [("8:8:8:8:8", 11_714), ("8:8:16:40:40", 107_826), ("64:64:64:64:64", 713_674)],
)
def test_parameter_counts_equal_the_benchmark(text: str, params: int) -> None:
    build = partial(SPACE.build, SPACE.from_string(text), 10)
    assert measure_costs(build, of_images(3, 32, 32)).params == params


def test_equal_widths_give_the_network_of_nas_bench_201() -> None:
    """With equal widths, networks have the weights and outputs of NAS-Bench-201."""
    cells = NASBench201Space(channels=16, cells=1)
    best = cells.from_string(
        "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+"
        "|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|"
    )
    networks = []
    for space, arch in ((cells, best), (SPACE, SPACE.from_string("16:32:32:64:64"))):
        torch.manual_seed(0)
        networks.append(space.build(arch, 5).eval())
    images = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    one, other = (network(images) for network in networks)
    assert torch.equal(one, other)


def test_both_name_formats_are_read_and_one_is_written() -> None:
    arch = SPACE.from_string("c5=40,c1=16,c2=8,c3=64,c4=32")
    assert arch == SPACE.from_string(" 16:8:64:32:40 ")
    assert SPACE.to_string(arch) == "c1=16,c2=8,c3=64,c4=32,c5=40"


@pytest.mark.parametrize("text", ["8:8:8:8", "8:8:8:8:8:8", "8:8:8:8:9", "c1=8", "8,8,8,8,8", ""])
def test_other_widths_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="Expected"):
        SPACE.from_string(text)


def test_the_number_of_image_channels_can_be_set() -> None:
    space = find_space("nats-sss", of_images(1, 32, 32))
    network = space.build(space.sample(np.random.default_rng(0)), 10)
    assert network(torch.zeros(2, 1, 16, 16)).shape == (2, 10)
    with pytest.raises(ValueError, match="Expected in_channels of at least 1, but got 0"):
        NATSSizeSpace(in_channels=0)
