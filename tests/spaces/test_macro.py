"""The macro spaces: their architectures, mutation and crossover, and networks."""

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, fx, nn

from diswot.search import SPACES
from search_spaces import Architecture, MacroBlock, MacroSpace
from tests.signatures import of_images

BASIC = MacroSpace()
BOTTLENECK = MacroSpace(bottlenecks=True)
SEEDS = st.integers(0, 2**63 - 1)
BUILT_IN = {
    "macro-basic": 32,
    "macro-bottleneck": 32,
    "macro-basic-224": 224,
    "macro-bottleneck-224": 224,
}

both = pytest.mark.parametrize("space", [BASIC, BOTTLENECK], ids=["basic", "bottleneck"])


def architectures(space: MacroSpace) -> st.SearchStrategy[Architecture]:
    """Draw architectures as the space defines them: stages of blocks within the layer limit."""
    widths = st.integers(1, 256).map(lambda eighth: 8 * eighth)
    inner = st.none() | widths if space.bottlenecks else st.none()
    block = st.builds(MacroBlock, st.sampled_from([3, 5, 7]), widths, st.integers(1, 5), inner)
    stage = st.lists(block, min_size=1, max_size=3).map(tuple)
    return st.tuples(*[stage] * len(space.widths)).filter(
        lambda arch: layers(arch) <= space.max_layers
    )


def blocks(arch: Architecture) -> list[MacroBlock]:
    return [block for stage in arch for block in stage]


def layers(arch: Architecture) -> int:
    return sum(block.layers for block in blocks(arch))


def count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def changed_fields(one: MacroBlock, other: MacroBlock) -> set[str]:
    return {name for name in MacroBlock._fields if getattr(one, name) != getattr(other, name)}


# Architectures of the space


@both
@given(data=st.data())
def test_every_architecture_is_read_back_from_its_name(
    space: MacroSpace, data: st.DataObject
) -> None:
    arch = data.draw(architectures(space))
    text = space.to_string(arch)
    assert not set(text) & set(" \n")
    assert space.from_string(text) == arch


@both
@pytest.mark.parametrize(
    "text",
    [
        "",
        "k3c64n2",
        "k3c64n2-k3c128n2-k3c256n2",
        "k3c64n2-k3c128n2-k3c256n2-k3c512n2-k3c512n2",
        "k3c64n2-k3c128n2--k3c512n2",
        "k3c64n2-k3c128n2+-k3c256n2-k3c512n2",
        "k4c64n2-k3c128n2-k3c256n2-k3c512n2",
        "k9c64n2-k3c128n2-k3c256n2-k3c512n2",
        "k3c60n2-k3c128n2-k3c256n2-k3c512n2",
        "k3c0n2-k3c128n2-k3c256n2-k3c512n2",
        "k3c2056n2-k3c128n2-k3c256n2-k3c512n2",
        "k3c64b60n2-k3c128n2-k3c256n2-k3c512n2",
        "k3c64b0n2-k3c128n2-k3c256n2-k3c512n2",
        "k3c64n0-k3c128n2-k3c256n2-k3c512n2",
        "k3c64n6-k3c128n2-k3c256n2-k3c512n2",
        "k3c64n5-k3c128n5-k3c256n5-k3c512n4",
        "k3c64n-2-k3c128n2-k3c256n2-k3c512n2",
        "k3 c64n2-k3c128n2-k3c256n2-k3c512n2",
        "k٣c64n2-k3c128n2-k3c256n2-k3c512n2",
        "k3c64n2-k3c128n2-k3c256n2-k3c512n2\nk3",
        "c64k3n2-k3c128n2-k3c256n2-k3c512n2",
    ],
)
def test_names_outside_the_space_are_refused_with_the_format(space: MacroSpace, text: str) -> None:
    with pytest.raises(ValueError, match="Expected an architecture like k3c64n2-") as refusal:
        space.from_string(text)
    assert repr(text) in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_bottlenecks_are_only_in_the_space_with_bottlenecks() -> None:
    text = "k3c64b16n2-k3c128n2-k3c256n2-k3c512n2"
    assert BOTTLENECK.from_string(text)[0] == (MacroBlock(3, 64, 2, 16),)
    with pytest.raises(ValueError, match="Expected"):
        BASIC.from_string(text)


def test_max_layers_limits_the_layers_of_an_architecture() -> None:
    text = "k3c64n5-k3c128n5-k3c256n5-k3c512n3"
    assert layers(BASIC.from_string(text)) == 18
    with pytest.raises(ValueError, match="at most 17 layers"):
        MacroSpace(max_layers=17).from_string(text)


def test_iterating_over_the_space_is_an_error() -> None:
    assert BASIC.size is None
    with pytest.raises(TypeError, match="MacroSpace cannot be enumerated"):
        iter(BASIC)


@pytest.mark.parametrize(
    "arguments",
    [
        {"image_size": 64},
        {"in_channels": 0},
        {"max_layers": 3},
        {"widths": ()},
        {"widths": (64, 100)},
        {"widths": (64, 4096)},
    ],
    ids=str,
)
def test_a_space_without_networks_is_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="Expected"):
        MacroSpace(**arguments)


def test_the_start_fits_a_space_of_few_layers() -> None:
    assert layers(MacroSpace(max_layers=7).start) == 4


# Mutation and crossover


@pytest.mark.slow
@both
@given(data=st.data(), seed=SEEDS)
def test_a_mutant_is_a_different_architecture_of_the_space(
    space: MacroSpace, data: st.DataObject, seed: int
) -> None:
    arch = data.draw(architectures(space))
    mutant = space.mutate(arch, np.random.default_rng(seed))
    assert mutant != arch
    assert space.from_string(space.to_string(mutant)) == mutant


@both
@given(seed=SEEDS)
def test_a_mutation_changes_one_property_of_two_blocks(space: MacroSpace, seed: int) -> None:
    mutant = space.mutate(space.start, np.random.default_rng(seed))
    changes = [
        changed_fields(*pair)
        for pair in zip(blocks(space.start), blocks(mutant), strict=True)
        if pair[0] != pair[1]
    ]
    assert [len(change) for change in changes] == [1, 1]


def reached_from(space: MacroSpace, text: str, draws: int) -> set[MacroBlock]:
    """Return the results of one mutation of the only block of an architecture."""
    rng = np.random.default_rng(0)
    arch = space.from_string(text)
    return {blocks(space.mutate(arch, rng))[0] for _ in range(draws)}


def test_basic_blocks_mutate_as_in_the_paper() -> None:
    found = reached_from(MacroSpace(widths=(64,)), "k3c96n2", 300)
    assert {str(block) for block in found} == {
        *("k5c96n2", "k7c96n2"),
        *("k3c144n2", "k3c120n2", "k3c80n2", "k3c64n2"),  # 76.8 is nearest to 80
        *("k3c96n1", "k3c96n3"),
    }


def test_bottlenecks_mutate_as_in_the_paper() -> None:
    widths = {240, 192, 144, 120, 80, 64, 48, 40}  # 38.4 is nearest to 40
    found = reached_from(MacroSpace(bottlenecks=True, widths=(64,)), "k3c96b96n3", 2000)
    assert {str(block) for block in found} == {
        *("k5c96b96n3", "k7c96b96n3", "k3c96n3"),
        *(f"k3c{width}b96n3" for width in widths),
        *(f"k3c96b{width}n3" for width in widths),
        *(f"k3c96b96n{depth}" for depth in (1, 2, 4, 5)),
    }


def test_a_basic_block_becomes_a_bottleneck_of_a_quarter_width() -> None:
    found = reached_from(MacroSpace(bottlenecks=True, widths=(64,)), "k3c96n3", 500)
    assert {block.bottleneck for block in found} == {None, 24}


def test_widths_stay_within_their_limits() -> None:
    space = MacroSpace(bottlenecks=True, widths=(64,))
    widest = {block.channels for block in reached_from(space, "k3c2048n1", 500)}
    narrowest = {block.channels for block in reached_from(space, "k3c8n1", 500)}
    assert (max(widest), min(narrowest)) == (2048, 8)
    assert narrowest == {8, 16, 24}  # 8 and 10, 12 and 16, 20


def test_depth_does_not_grow_beyond_the_layer_limit() -> None:
    space = MacroSpace(max_layers=4)
    rng = np.random.default_rng(0)
    for _ in range(200):
        assert layers(space.sample(rng)) == 4


def test_a_block_that_gets_too_deep_is_split() -> None:
    space = MacroSpace(widths=(64,))
    rng = np.random.default_rng(0)
    arch = space.from_string("k3c64n5")
    names = {space.to_string(space.mutate(arch, rng)) for _ in range(100)}
    assert {name for name in names if "+" in name} == {"k3c64n3+k3c64n3"}


@pytest.mark.slow
@both
@given(data=st.data(), seed=SEEDS)
def test_a_child_has_its_parents_blocks_stage_by_stage(
    space: MacroSpace, data: st.DataObject, seed: int
) -> None:
    mother, father = data.draw(architectures(space)), data.draw(architectures(space))
    child = space.crossover(mother, father, np.random.default_rng(seed))
    assert space.from_string(space.to_string(child)) == child
    for stage, one, other in zip(child, mother, father, strict=True):
        if len(one) == len(other):
            assert all(block in pair for block, *pair in zip(stage, one, other, strict=True))
        else:
            assert stage in (one, other)


def test_children_of_deep_parents_stay_within_the_layer_limit() -> None:
    mother = BASIC.from_string("k3c64n5-k3c64n5-k3c64n4-k3c64n4")
    father = BASIC.from_string("k5c64n4-k5c64n4-k5c64n5-k5c64n5")
    rng = np.random.default_rng(0)
    children = {BASIC.crossover(mother, father, rng) for _ in range(200)}
    assert max(map(layers, children)) == 18
    assert len(children) > 10


@pytest.mark.slow
@both
def test_samples_are_diverse_and_of_all_sizes(space: MacroSpace) -> None:
    rng = np.random.default_rng(0)
    sample = [space.sample(rng) for _ in range(300)]
    assert len(set(sample)) > 270
    assert {block.kernel for arch in sample for block in blocks(arch)} == {3, 5, 7}
    assert any(len(stage) > 1 for arch in sample for stage in arch)
    with torch.device("meta"):
        sizes = [count(space.build(arch, 10)) for arch in sample[:60]]
    assert min(sizes) < 1e6 < 1e7 < max(sizes)


def test_samples_of_the_bottleneck_space_have_both_block_types() -> None:
    rng = np.random.default_rng(0)
    sample = [BOTTLENECK.sample(rng) for _ in range(100)]
    kinds = [block.bottleneck is None for arch in sample for block in blocks(arch)]
    assert 0.3 < np.mean(kinds) < 0.8


# Networks


def shapes(network: nn.Module, images: Tensor) -> tuple[torch.Size, torch.Size]:
    """Return the shapes of the last residual block's output and of the logits."""
    seen: list[torch.Size] = []
    last = network.get_submodule("blocks")
    hook = last.register_forward_hook(lambda _module, _inputs, output: seen.append(output.shape))
    logits = network(images)
    hook.remove()
    return seen[0], logits.shape


@pytest.mark.slow
@pytest.mark.parametrize("name", BUILT_IN)
def test_every_architecture_builds_and_runs_at_its_image_size(name: str) -> None:
    space, size = SPACES[name](of_images(3, 32, 32)), BUILT_IN[name]
    rng = np.random.default_rng(0)
    for _ in range(20):
        arch = space.sample(rng)
        with torch.device("meta"):
            last, logits = shapes(space.build(arch, 7), torch.empty(2, 3, size, size))
        side = 4 if size == 32 else 7
        assert last == (2, arch[-1][-1].channels, side, side)
        assert logits == (2, 7)


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_network_computes_finite_logits(name: str) -> None:
    space, size = SPACES[name](of_images(1, 32, 32)), BUILT_IN[name]
    arch = space.from_string("k3c8n1-k5c16n1+k7c8n1-k3c16n2-k3c24n1")
    logits = space.build(arch, 5)(torch.randn(2, 1, size, size))
    assert logits.shape == (2, 5)
    assert torch.isfinite(logits).all()


@pytest.mark.parametrize(
    ("image_size", "text", "num_classes", "params"),
    [
        # torchvision's resnet18 and resnet50; ResNet-18 with a stem of 3×3 for CIFAR-10
        (224, "k3c64n2-k3c128n2-k3c256n2-k3c512n2", 1000, 11_689_512),
        (
            224,
            "k3c256b64n3-k3c512b128n4-k3c1024b256n3+k3c1024b256n3-k3c2048b512n3",
            1000,
            25_557_032,
        ),
        (32, "k3c64n2-k3c128n2-k3c256n2-k3c512n2", 10, 11_173_962),
    ],
    ids=["ResNet-18", "ResNet-50", "ResNet-18 for CIFAR-10"],
)
def test_known_networks_have_their_published_parameters(
    image_size: int, text: str, num_classes: int, params: int
) -> None:
    space = MacroSpace(bottlenecks=True, image_size=image_size)
    with torch.device("meta"):
        assert count(space.build(space.from_string(text), num_classes)) == params


def test_the_network_has_its_kernels_widths_depths_and_strides() -> None:
    space = MacroSpace(bottlenecks=True, widths=(8, 16))
    network = space.build(space.from_string("k5c16n1+k3c24b8n1-k7c32n2"), 3)
    found = [
        (layer.in_channels, layer.out_channels, layer.kernel_size[0], layer.stride[0])
        for layer in network.modules()
        if isinstance(layer, nn.Conv2d)
    ]
    assert found == [
        (3, 8, 3, 1),
        *((8, 16, 5, 1), (16, 16, 5, 1), (8, 16, 1, 1)),
        *((16, 8, 1, 1), (8, 8, 3, 1), (8, 24, 1, 1), (16, 24, 1, 1)),
        *((24, 32, 7, 2), (32, 32, 7, 1), (24, 32, 1, 2)),
        *((32, 32, 7, 1), (32, 32, 7, 1)),
    ]


def test_residual_blocks_are_in_one_sequential() -> None:
    network = BASIC.build(BASIC.from_string("k3c8n2-k3c8n1+k5c8n3-k3c8n1-k3c8n1"), 3)
    sequence = network.get_submodule("blocks")
    assert isinstance(sequence, nn.Sequential)
    assert [type(block).__name__ for block in sequence] == ["ResidualBlock"] * 8


def test_every_activation_is_a_separate_module() -> None:
    network = BOTTLENECK.build(BOTTLENECK.from_string("k3c8n1-k3c8b8n1-k3c8n1-k3c8n1"), 3)
    traced = fx.symbolic_trace(network)
    calls = [node.target for node in traced.graph.nodes if node.op == "call_module"]
    relus = [name for name, module in network.named_modules() if isinstance(module, nn.ReLU)]
    assert len(relus) == 1 + 3 * 2 + 3
    assert all(calls.count(name) == 1 for name in relus)


def test_consecutive_equal_blocks_give_one_key() -> None:
    names = ["k3c8n4-k5c16n1", "k3c8n1+k3c8n3-k5c16n1", "k3c8n2+k3c8n1+k3c8n1-k5c16n1"]
    space = MacroSpace(widths=(8, 16))
    archs = [space.from_string(name) for name in names]
    assert {space.canonical_key(arch) for arch in archs} == {names[0]}
    images = torch.randn(2, 3, 32, 32)
    logits = []
    for arch in archs:
        torch.manual_seed(0)
        logits.append(space.build(arch, 3)(images))
    assert all(torch.equal(one, other) for one, other in itertools.pairwise(logits))


def test_different_blocks_have_different_keys() -> None:
    space = MacroSpace(bottlenecks=True, widths=(8, 16))
    names = ["k3c8n1+k5c8n1-k3c8n1", "k3c8n1+k3c16n1-k3c8n1", "k3c8n1+k3c8b8n1-k3c8n1"]
    assert [space.canonical_key(space.from_string(name)) for name in names] == names


def test_second_derivatives_can_be_computed() -> None:
    space = MacroSpace(bottlenecks=True, image_size=224, widths=(8, 16))
    network = space.build(space.from_string("k3c8n1-k5c16b8n1"), 3)
    weights = list(network.parameters())
    loss = network(torch.randn(4, 3, 32, 32)).square().sum()
    gradients = torch.autograd.grad(loss, weights, create_graph=True)
    sum(gradient.square().sum() for gradient in gradients).backward()  # type: ignore[union-attr]
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in weights)
