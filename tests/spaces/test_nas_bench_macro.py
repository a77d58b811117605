"""The layer space of NAS-Bench-Macro: its networks match the table."""

import csv
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from diswot.networks.costs import measure_costs
from diswot.search import find_space
from diswot.testing import check_space
from search_spaces import NASBenchMacroSpace, Signature, TensorSpec
from tests.signatures import of_images

SPACE = NASBenchMacroSpace()
IMAGES = Signature((TensorSpec("images", (3, 16, 16)),), 7)
ALL = (3, 32, 32)


def costs(text: str) -> tuple[int, int]:
    found = measure_costs(partial(SPACE.build, SPACE.from_string(text), 10), of_images(*ALL))
    return found.params, found.macs


def test_the_space_follows_the_contract() -> None:
    check_space(NASBenchMacroSpace(), signature=IMAGES, draws=5)


@pytest.mark.slow
def test_costs_of_networks_equal_the_table(shared_data: Path) -> None:
    with (shared_data / "nas-bench-macro" / "accuracies.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for place in np.random.default_rng(0).choice(len(rows), 150, replace=False):
        row = rows[place]
        assert costs(row["arch"]) == (int(row["params"]), int(row["flops"])), row["arch"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("l1=id,l2=id,l3=id,l4=id,l5=id,l6=id,l7=id,l8=id", (387_882, 7_713_280)),
        ("l1=id,l2=k5,l3=id,l4=k3,l5=k5,l6=k3,l7=id,l8=id", (890_666, 47_327_744)),
        ("l1=k3,l2=k3,l3=k3,l4=k3,l5=k3,l6=k5,l7=k5,l8=k3", (2_181_386, 65_012_224)),
    ],
)
def test_costs_equal_the_published_ones(text: str, expected: tuple[int, int]) -> None:
    assert costs(text) == expected


def test_the_position_of_identity_layers_does_not_matter() -> None:
    keys = [SPACE.canonical_key(arch) for arch in SPACE]
    assert (len(keys), len(set(keys))) == (6_561, 3_969)
    networks = []
    for text in ("l1=k3,l2=id,l3=k3,l4=id,l5=k5", "l1=k3,l2=id,l3=k3,l4=k5,l5=id"):
        torch.manual_seed(0)
        arch = SPACE.from_string(f"{text},l6=id,l7=id,l8=id")
        networks.append((SPACE.canonical_key(arch), SPACE.build(arch, 4).eval()))
    (one, first), (other, second) = networks
    images = torch.randn(2, *ALL, generator=torch.Generator().manual_seed(1))
    assert one == other == "k3/k3-k5/id"
    assert torch.equal(first(images), second(images))


def test_the_size_is_halved_three_times() -> None:
    network = SPACE.build(SPACE.sample(np.random.default_rng(0)), 5)
    sizes: list[torch.Size] = []
    for module in network.modules():
        if isinstance(module, nn.AdaptiveAvgPool2d):
            module.register_forward_pre_hook(lambda _, given: sizes.append(given[0].shape[1:]))
    network(torch.zeros(2, *ALL))
    assert sizes == [(1280, 4, 4)]


def test_the_number_of_image_channels_can_be_set() -> None:
    space = find_space("nas-bench-macro", of_images(1, 32, 32))
    network = space.build(space.sample(np.random.default_rng(0)), 10)
    assert network(torch.zeros(2, 1, 16, 16)).shape == (2, 10)
    with pytest.raises(ValueError, match="Expected in_channels of at least 1, but got 0"):
        NASBenchMacroSpace(in_channels=0)
