"""The built-in teachers: published parameter counts, and their forward pass on images."""

import csv
from pathlib import Path

import pytest
import torch
import torch.fx
from torch import nn

from diswot.networks import ActivationReader
from diswot.networks.taps import BLOCK_MAPS, stages
from diswot.seeding import torch_seed
from diswot.tasks.images import ImageSpec
from diswot.tasks.images.teachers import TEACHERS, find_teacher
from diswot.tasks.images.teachers.networks import VGG, MobileNetV2, WideResNet
from tests.conftest import CommandLine

PUBLISHED = {
    "resnet20": 278_324,
    "resnet32": 472_756,
    "resnet44": 667_188,
    "resnet56": 861_620,
    "resnet110": 1_736_564,
    "resnet8x4": 1_233_540,
    "resnet32x4": 7_433_860,
    "resnet18": 11_220_132,
    "resnet50": 23_705_252,
    "wrn-16-2": 703_284,
    "wrn-40-1": 569_780,
    "wrn-40-2": 2_255_156,
    "vgg8": 3_965_028,
    "vgg13": 9_462_180,
    "mobilenet-v2": 812_836,
    "shufflenet-v1": 949_258,
    "shufflenet-v2": 1_355_528,
    "vgg11_bn": 9_802_596,
    "vgg13_bn": 9_987_492,
    "vgg16_bn": 15_299_748,
    "vgg19_bn": 20_612_004,
    "mobilenetv2_x0_5": 815_780,
    "mobilenetv2_x0_75": 1_483_524,
    "mobilenetv2_x1_0": 2_351_972,
    "mobilenetv2_x1_4": 4_495_076,
    "shufflenetv2_x0_5": 444_292,
    "shufflenetv2_x1_0": 1_356_104,
    "shufflenetv2_x1_5": 2_581_124,
    "shufflenetv2_x2_0": 5_549_896,
}
"""Parameters for CIFAR-100 of the networks of Tian et al., ICLR 2020, of ResNet-18 and -44, and
of the repository chenyaofo/pytorch-cifar-models."""

LAST_MAP = {
    **dict.fromkeys(PUBLISHED, (8, 8)),
    **dict.fromkeys(("resnet50", "vgg8", "vgg13", "shufflenet-v1", "shufflenet-v2"), (4, 4)),
    "mobilenet-v2": (2, 2),
    **{name: (4, 4) for name in PUBLISHED if name.startswith(("mobilenetv2_", "shufflenetv2_"))},
    **{name: (2, 2) for name in PUBLISHED if name.endswith("_bn")},
    "resnet18": (4, 4),
}


def size_of(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize("name", TEACHERS)
def test_a_network_has_the_published_number_of_parameters(name: str) -> None:
    assert TEACHERS[name].params == PUBLISHED[name]


@pytest.mark.parametrize(("depth", "width"), [(10, 1), (16, 2), (22, 3), (40, 2)])
def test_wide_residual_networks_have_the_published_sizes(depth: int, width: int) -> None:
    blocks, given, expected = (depth - 4) // 6, 16, 3 * 16 * 9
    for made in (16 * width, 32 * width, 64 * width):
        for block in range(blocks):
            entering = given if block == 0 else made
            expected += 9 * entering * made + 9 * made * made + 2 * entering + 2 * made
            stride = 2 if block == 0 and made != 16 * width else 1
            expected += entering * made if entering != made or stride == 2 else 0
        given = made
    expected += 2 * given + given * 10 + 10
    assert size_of(WideResNet(depth, width, num_classes=10)) == expected


def test_a_full_width_mobilenet_has_the_published_size() -> None:
    table = [(1, 16, 1), (6, 24, 2), (6, 32, 3), (6, 64, 4), (6, 96, 3), (6, 160, 3), (6, 320, 1)]
    given, expected = 32, 3 * 32 * 9 + 2 * 32
    for expansion, made, blocks in table:
        for _ in range(blocks):
            hidden = expansion * given
            expected += given * hidden + 9 * hidden + hidden * made + 2 * (2 * hidden + made)
            given = made
    expected += 320 * 1280 + 2 * 1280 + 1280 * 10 + 10
    assert size_of(MobileNetV2(num_classes=10, width=1.0)) == expected


@pytest.mark.slow
@pytest.mark.parametrize("name", TEACHERS)
def test_color_and_gray_images_reach_every_weight(name: str) -> None:
    with torch_seed(0):
        for channels, side in ((3, 32), (1, 16)):
            network = TEACHERS[name].build(num_classes=5, in_channels=channels)
            with ActivationReader(network, watches=[BLOCK_MAPS]) as read:
                activations = read(torch.randn(2, channels, side, side))
            assert activations.output.shape == (2, 5)
            if side == 32:
                assert activations.resolution == LAST_MAP[name]
                heights = [maps.shape[2] for maps in stages(activations)]
                assert heights == sorted(heights, reverse=True)
                assert len(heights) >= 3
        activations.output.square().sum().backward()  # type: ignore[no-untyped-call]
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_vgg_pools_after_the_first_four_stages() -> None:
    network = VGG((1, 1, 1, 1, 1), num_classes=2).eval()
    with ActivationReader(network, watches=[BLOCK_MAPS]) as read, torch.no_grad():
        activations = read(torch.zeros(1, 3, 48, 48))
    read_maps = [maps for maps in activations.watched(BLOCK_MAPS) if maps is not None]
    assert [tuple(maps.shape[1:]) for maps in read_maps] == [
        (64, 48, 48), (128, 24, 24), (256, 12, 12), (512, 6, 6), (512, 6, 6)
    ]  # fmt: skip


@pytest.mark.parametrize(("depth", "width"), [(17, 1), (4, 1), (16, 0)])
def test_invalid_depths_of_wide_residual_networks_are_refused(depth: int, width: int) -> None:
    with pytest.raises(ValueError, match="6n"):
        WideResNet(depth, width, num_classes=2)


@pytest.mark.slow
@pytest.mark.parametrize("name", TEACHERS)
def test_the_same_seed_gives_the_same_network(name: str) -> None:
    teacher = find_teacher(name, ImageSpec((1, 16, 16), 3, (0.5,), (0.5,), 1.0))
    first, again, other = (teacher.initialized(seed).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not all(torch.equal(first[key], other[key]) for key in first)


@pytest.mark.slow
@pytest.mark.parametrize("name", TEACHERS)
def test_a_network_can_be_written_as_source(name: str) -> None:
    network = TEACHERS[name].build(num_classes=5, in_channels=1).eval()
    images = torch.randn(2, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        traced = torch.fx.symbolic_trace(network)  # the first step of an export
        assert torch.equal(traced(images), network(images))


@pytest.mark.slow
@pytest.mark.parametrize("name", TEACHERS)
def test_students_are_scored_against_every_network(cli: CommandLine, name: str) -> None:
    done = cli(
        *("score", "1-1-1", "--teacher", name, "--data", "digits"),
        *("--repeats", "1", "--batch-size", "8"),
    )
    assert done.code == 0, done.err
    assert "1-1-1" in done.out


def test_every_published_cifar_pair_has_its_networks(shared_data: Path) -> None:
    with (shared_data / "kd-tables" / "kd_pairs.csv").open(encoding="utf-8") as file:
        pairs = [row for row in csv.DictReader(file) if row["dataset"] == "CIFAR-100"]
    assert len(pairs) > 100
    known = {name.replace("-", "") for name in TEACHERS}
    named = {row[role].lower().replace("-", "") for row in pairs for role in ("teacher", "student")}
    assert named <= known
