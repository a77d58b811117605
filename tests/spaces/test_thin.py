"""Thin residual networks."""

import numpy as np
import pytest
import torch

from diswot.search import find_space
from diswot.testing import check_space
from search_spaces import Signature, TensorSpec, ThinSpace

DIGITS = Signature((TensorSpec("images", (1, 16, 16)),), 10)


def test_the_space_is_found_by_name_and_follows_the_contract() -> None:
    space = find_space("thin", DIGITS)
    assert isinstance(space, ThinSpace)
    assert space.size == 11_664 == len({space.to_string(arch) for arch in space})
    check_space(space, signature=DIGITS, draws=5)


def test_kernels_of_size_1_do_not_extend_the_receptive_field() -> None:
    def reach(text: str) -> int:
        space = ThinSpace(in_channels=1)
        torch.manual_seed(0)
        layers = list(space.build(space.from_string(text), 10).children())
        network = torch.nn.Sequential(*layers[:-4]).eval()
        images = torch.zeros(2, 1, 16, 16)
        images[1, 0, 8, 8] = 100.0
        one, other = network(images)
        return int((one != other).any(dim=0).sum())

    narrow = "stem=3,expansion=2,width1=4,depth1=3,kernel1=1,width2=8,depth2=2,kernel2=1"
    assert reach(narrow) == 1
    assert reach(narrow.replace("kernel2=1", "kernel2=5")) > 1


def test_most_networks_have_1k_to_20k_parameters() -> None:
    space, rng = ThinSpace(in_channels=1), np.random.default_rng(0)
    with torch.device("meta"):
        networks = [space.build(space.sample(rng), 10) for _ in range(100)]
    params = [sum(each.numel() for each in network.parameters()) for network in networks]
    assert sum(1_000 <= each <= 20_000 for each in params) >= 60


def test_zero_channels_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        ThinSpace(in_channels=0)
