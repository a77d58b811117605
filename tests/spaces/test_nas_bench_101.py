"""The modules of NAS-Bench-101."""

import numpy as np
import pytest
import torch

from diswot.search import find_space
from diswot.testing import check_space
from search_spaces import NASBench101Space, Signature, TensorSpec, module_101

IMAGES = Signature((TensorSpec("images", (1, 8, 8)),), 10)

PUBLISHED = {
    "conv1x1,conv3x3,conv3x3,conv3x3,maxpool3x3:111010-00001-0001-100-01-1": 2_694_282,
    "maxpool3x3,conv3x3,maxpool3x3,conv1x1,maxpool3x3:101000-10110-0001-100-10-1": 3_468_426,
}
"""Trainable parameters, as the benchmark's table has them."""


def test_the_space_is_found_by_name_and_follows_the_contract() -> None:
    assert isinstance(find_space("nas-bench-101", IMAGES), NASBench101Space)
    check_space(NASBench101Space(channels=6, in_channels=1), signature=IMAGES, draws=5)


@pytest.mark.parametrize(("text", "params"), PUBLISHED.items())
def test_networks_have_the_published_parameters(text: str, params: int) -> None:
    space = NASBench101Space()
    with torch.device("meta"):
        network = space.build(space.from_string(text), 10)
    assert sum(each.numel() for each in network.parameters()) == params


def test_vertices_on_no_path_are_left_out() -> None:
    dead = [[0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0], [0, 0, 0, 0]]
    found = module_101(dead, ["conv3x3", "conv1x1"])
    assert (found.operations, found.edges) == (("conv3x3",), ("10", "1"))


def test_channels_that_cannot_be_divided_evenly_are_truncated() -> None:
    space = NASBench101Space(channels=7, in_channels=1)
    arch = space.from_string("conv3x3,conv3x3,conv1x1:1100-011-01-1")
    assert space.build(arch, 3)(torch.zeros(2, 1, 8, 8)).shape == (2, 3)


def test_isomorphic_modules_have_one_key() -> None:
    space = NASBench101Space()
    one, other = (
        space.from_string(text)
        for text in (
            "conv3x3,conv1x1,conv1x1:1100-010-10-1",
            "conv1x1,conv3x3,conv1x1:1100-010-10-1",
        )
    )
    assert space.canonical_key(one) == space.canonical_key(other)
    third = space.from_string("conv1x1,conv3x3,conv1x1:1000-100-10-1")
    assert space.canonical_key(third) != space.canonical_key(one)


@pytest.mark.parametrize(
    "matrix",
    [
        [[0, 0], [0, 0]],
        [[0, 1], [1, 0]],
        [[0, 2], [0, 0]],
        [[0, 1, 0], [0, 0, 1]],
        np.triu(np.ones((8, 8), int), k=1).tolist(),
        np.triu(np.ones((6, 6), int), k=1).tolist(),
    ],
)
def test_an_invalid_matrix_is_refused(matrix: list[list[int]]) -> None:
    with pytest.raises(ValueError, match="Expected a m"):
        module_101(matrix, ["conv3x3"] * (len(matrix) - 2))


@pytest.mark.parametrize("text", ["", "conv3x3", "conv3x3:11", "conv3x3:1x-1", "conv5x5:10-1"])
def test_an_invalid_name_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="Expected"):
        NASBench101Space().from_string(text)


def test_a_name_with_idle_vertices_is_refused() -> None:
    with pytest.raises(ValueError, match=r"on a path .* write :1"):
        NASBench101Space().from_string("conv3x3:01-0")


def test_too_few_channels_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 5"):
        NASBench101Space(channels=4)
