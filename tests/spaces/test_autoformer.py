"""The space of AutoFormer: its architectures, mutation and crossover, and networks."""

import itertools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, fx, nn

from diswot.search import SPACES
from search_spaces import (
    Architecture,
    AutoFormerArchitecture,
    AutoFormerSpace,
    VisionTransformer,
)
from tests.signatures import of_images

SPACE = AutoFormerSpace()
SHALLOW = AutoFormerSpace(depths=(2, 3))
SMALL = AutoFormerSpace(hidden_dims=(8, 16), depths=(1, 2), heads=(1, 2), mlp_ratios=(0.5, 2))
SEEDS = st.integers(0, 2**63 - 1)
RECORD = {"hidden_dim": 216, "depth": 2, "num_heads": [3, 4], "mlp_ratio": [3.5, 4.0]}


@st.composite
def architectures(draw: st.DrawFn) -> Architecture:
    depth = draw(st.sampled_from([12, 13, 14]))
    heads = draw(st.tuples(*[st.sampled_from([3, 4])] * depth))
    ratios = draw(st.tuples(*[st.sampled_from([3.5, 4])] * depth))
    return AutoFormerArchitecture(draw(st.sampled_from([192, 216, 240])), heads, ratios)


def expected_params(
    arch: Architecture, num_classes: int, *, image_size: int, patch_size: int
) -> int:
    """Count the parameters of a vision transformer with heads of 64 channels, part by part."""
    hidden = arch.hidden
    patches = 3 * patch_size**2 * hidden + hidden
    tokens = hidden + (1 + (image_size // patch_size) ** 2) * hidden
    norm = 2 * hidden
    total: int = patches + tokens + norm + hidden * num_classes + num_classes
    for heads, ratio in zip(arch.heads, arch.mlp_ratios, strict=True):
        inside, inner = 64 * heads, int(ratio * hidden)
        qkv = hidden * 3 * inside + 3 * inside
        proj = inside * hidden + hidden
        mlp = hidden * inner + inner + inner * hidden + hidden
        total += qkv + proj + mlp + 2 * norm
    return total


def count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def small_vit(**changes: Any) -> VisionTransformer:
    settings: dict[str, Any] = {
        "hidden": 8,
        "heads": (1, 2),
        "mlp_ratios": (2, 0.5),
        "num_classes": 3,
        "image_size": 8,
    }
    return VisionTransformer(**settings | changes)


# Architectures of the space


@given(arch=architectures())
def test_every_architecture_is_read_back_from_its_name(arch: Architecture) -> None:
    text = SPACE.to_string(arch)
    assert not set(text) & set(" \n")
    assert SPACE.from_string(text) == arch


def test_a_name_is_short_and_readable() -> None:
    arch = AutoFormerArchitecture(216, (3, 4, 4), (3.5, 4, 4))
    assert SHALLOW.to_string(arch) == "216-h3,4,4-m3.5,4,4"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "216",
        "216-h3,4",
        "216-m3.5,4-h3,4",
        "200-h3,4-m3.5,4",
        "-216-h3,4-m3.5,4",
        "216-h3-m3.5",
        "216-h3,4,4,4-m4,4,4,4",
        "216-h3,4-m3.5,4,4",
        "216-h3,5-m3.5,4",
        "216-h3,-m3.5,4",
        "216-h3,4-m3.5,3",
        "216-h3,4-m3.5,nan",
        "216-h3,4-m3.5,4.0",
        "216-h3, 4-m3.5,4",
        "216-h٣,4-m3.5,4",
        "216-h3,4-m3.5,4-m3.5,4",
        "216-h3,4-m3.5,4\n216",
    ],
)
def test_names_outside_the_space_are_refused_with_the_format(text: str) -> None:
    with pytest.raises(ValueError, match="Expected hidden size, heads and MLP ratios") as refusal:
        SHALLOW.from_string(text)
    assert "2 or 3 layers" in str(refusal.value)
    assert repr(text) in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    "arguments",
    [
        {"hidden_dims": ()},
        {"depths": (0, 1)},
        {"heads": (0, 1)},
        {"heads": (3, 3)},
        {"mlp_ratios": (0, 1)},
        {"mlp_ratios": (0.001, 1)},
        {"in_channels": 0},
        {"image_size": 30},
        {"image_size": 0},
        {"patch_size": 0},
    ],
    ids=str,
)
def test_a_space_without_networks_is_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="Expected"):
        AutoFormerSpace(**arguments)


def test_the_size_of_the_space_is_correct() -> None:
    assert SPACE.size == 3 * (4**12 + 4**13 + 4**14)
    assert AutoFormerSpace(heads=(3,), mlp_ratios=(4,)).size == 9


def test_iteration_yields_every_architecture_by_depth() -> None:
    everything = list(SMALL)
    expected = {
        AutoFormerArchitecture(hidden, heads, ratios)
        for hidden in (8, 16)
        for depth in (1, 2)
        for heads in itertools.product((1, 2), repeat=depth)
        for ratios in itertools.product((0.5, 2), repeat=depth)
    }
    assert len(everything) == SMALL.size == len(expected) == 40
    assert set(everything) == expected


def test_iteration_over_a_billion_architectures_starts_at_once() -> None:
    first = list(itertools.islice(SPACE, 1000))
    assert len(set(first)) == 1000
    assert {len(arch.heads) for arch in first} == {12}


# Tables


@pytest.mark.slow
def test_every_row_of_the_table_is_an_architecture_that_builds(shared_data: Path) -> None:
    rows = json.loads((shared_data / "vit-bench" / "autoformer.json").read_text("utf-8"))
    assert len(rows) == 100
    found = set()
    for i, row in enumerate(rows):
        arch = SPACE.from_record(row)
        assert (arch.hidden, len(arch.heads)) == (row["hidden_dim"], row["depth"])
        assert (list(arch.heads), list(arch.mlp_ratios)) == (row["num_heads"], row["mlp_ratio"])
        assert SPACE.from_string(SPACE.to_string(arch)) == arch
        with torch.device("meta"):
            network = SPACE.build(arch, 100)
            if i % 10 == 0:
                assert network(torch.empty(2, 3, 32, 32)).shape == (2, 100)
        assert count(network) == expected_params(arch, 100, image_size=32, patch_size=4)
        found.add(arch)
    assert len(found) == 100


def test_a_table_row_and_a_string_give_the_same_architecture() -> None:
    read = SHALLOW.from_record(RECORD | {"cifar100_kd_acc": 76.0})
    assert read == SHALLOW.from_string("216-h3,4-m3.5,4")
    assert SHALLOW.to_string(read) == "216-h3,4-m3.5,4"


@pytest.mark.parametrize(
    "change",
    [
        {"hidden_dim": 200},
        {"hidden_dim": "216"},
        {"hidden_dim": [216]},
        {"depth": 3},
        {"depth": None},
        {"num_heads": [3, 5]},
        {"num_heads": [3]},
        {"num_heads": 3},
        {"mlp_ratio": None},
        {"mlp_ratio": [3.5, "4"]},
        {"mlp_ratio": [3.5, float("nan")]},
        {"depth": 1, "num_heads": [3], "mlp_ratio": [4]},
    ],
    ids=str,
)
def test_a_table_row_with_invalid_values_is_refused(change: Mapping[str, Any]) -> None:
    with pytest.raises(ValueError, match="Expected hidden size") as refusal:
        SHALLOW.from_record(RECORD | dict(change))
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("missing", RECORD)
def test_a_table_row_with_missing_columns_is_refused(missing: str) -> None:
    row = {name: value for name, value in RECORD.items() if name != missing}
    with pytest.raises(ValueError, match=f"{missing}': None"):
        SHALLOW.from_record(row)


# Mutation and crossover


def changes(one: Architecture, other: Architecture) -> list[str]:
    """Return the differences of two architectures: genes that both have, and the depth."""
    found = ["hidden"] if one.hidden != other.hidden else []
    found += ["depth"] if len(one.heads) != len(other.heads) else []
    for name in ("heads", "mlp_ratios"):
        pairs = zip(getattr(one, name), getattr(other, name), strict=False)
        found += [name for x, y in pairs if x != y]
    return found


@given(arch=architectures(), seed=SEEDS)
def test_a_mutation_changes_one_gene(arch: Architecture, seed: int) -> None:
    mutant = SPACE.mutate(arch, np.random.default_rng(seed))
    assert SPACE.from_string(SPACE.to_string(mutant)) == mutant
    assert len(changes(arch, mutant)) == 1


def test_every_gene_is_mutated_and_every_depth_reached() -> None:
    rng = np.random.default_rng(0)
    arch = SPACE.sample(rng)
    mutants = [SPACE.mutate(arch, rng) for _ in range(200)]
    kinds = [changes(arch, mutant)[0] for mutant in mutants]
    assert min(map(kinds.count, ("hidden", "depth", "heads", "mlp_ratios"))) > 30
    assert {len(mutant.heads) for mutant in mutants} == {12, 13, 14}


def test_only_free_genes_are_mutated() -> None:
    space = AutoFormerSpace(hidden_dims=(192,), depths=(2,), heads=(3,))
    rng = np.random.default_rng(0)
    arch = space.sample(rng)
    mutants = [space.mutate(arch, rng) for _ in range(20)]
    assert all(changes(arch, mutant) == ["mlp_ratios"] for mutant in mutants)
    fixed = AutoFormerSpace(hidden_dims=(192,), depths=(2,), heads=(3,), mlp_ratios=(4,))
    only = fixed.sample(rng)
    assert fixed.mutate(only, rng) == only


@given(mother=architectures(), father=architectures(), seed=SEEDS)
def test_every_gene_of_a_child_comes_from_a_parent(
    mother: Architecture, father: Architecture, seed: int
) -> None:
    child = SPACE.crossover(mother, father, np.random.default_rng(seed))
    assert SPACE.from_string(SPACE.to_string(child)) == child
    assert child.hidden in (mother.hidden, father.hidden)
    assert len(child.heads) in (len(mother.heads), len(father.heads))
    for name in ("heads", "mlp_ratios"):
        own, *both = (getattr(arch, name) for arch in (child, mother, father))
        for i, gene in enumerate(own):
            assert gene in [parent[i] for parent in both if i < len(parent)]


def test_children_mix_their_parents() -> None:
    mother = AutoFormerArchitecture(192, (3,) * 12, (3.5,) * 12)
    father = AutoFormerArchitecture(240, (4,) * 14, (4,) * 14)
    rng = np.random.default_rng(0)
    children = {SPACE.crossover(mother, father, rng) for _ in range(100)}
    assert {(child.hidden, len(child.heads)) for child in children} == set(
        itertools.product((192, 240), (12, 14))
    )
    assert all(set(child.heads) == {3, 4} for child in children)


def test_genes_of_layers_beyond_the_depth_are_ignored() -> None:
    deep = AutoFormerArchitecture(216, (3, 4, 4), (3.5, 4, 4))
    other = AutoFormerArchitecture(216, (3, 4, 3), (3.5, 4, 3.5))
    rng = np.random.default_rng(0)

    def shallower(arch: Architecture) -> set[Architecture]:
        mutants = (SHALLOW.mutate(arch, rng) for _ in range(50))
        return {mutant for mutant in mutants if len(mutant.heads) == 2}

    assert shallower(deep) == shallower(other) == {SHALLOW.from_string("216-h3,4-m3.5,4")}


# Networks


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "size", "tokens"), [("autoformer", 32, 65), ("autoformer-224", 224, 197)]
)
def test_every_architecture_builds_and_runs_at_its_image_size(
    name: str, size: int, tokens: int
) -> None:
    space = SPACES[name](of_images(1, 32, 32))
    rng = np.random.default_rng(0)
    for _ in range(10):
        arch = space.sample(rng)
        with torch.device("meta"):
            network = space.build(arch, 7)
            shapes = block_shapes(network, torch.empty(2, 1, size, size))
        assert shapes == [(2, tokens, arch.hidden)] * len(arch.heads)


def block_shapes(network: nn.Module, images: Tensor) -> list[tuple[int, ...]]:
    """Return the output shape of every block, and check the shape of the logits."""
    seen: list[tuple[int, ...]] = []
    sequence = network.get_submodule("blocks")
    assert isinstance(sequence, nn.Sequential)
    for block in sequence:
        block.register_forward_hook(lambda _module, _inputs, output: seen.append(output.shape))
    assert network(images).shape == (len(images), 7)
    return seen


def test_a_network_computes_finite_logits() -> None:
    network = SPACE.build(SPACE.sample(np.random.default_rng(0)), 5)
    logits = network(torch.randn(2, 3, 32, 32))
    assert logits.shape == (2, 5)
    assert torch.isfinite(logits).all()


@pytest.mark.parametrize(
    ("hidden", "heads", "params"),
    [(192, 3, 5_717_416), (384, 6, 22_050_664), (768, 12, 86_567_656)],
    ids=["DeiT-Ti", "DeiT-S", "DeiT-B"],
)
def test_known_transformers_have_their_published_parameters(
    hidden: int, heads: int, params: int
) -> None:
    with torch.device("meta"):
        network = VisionTransformer(
            hidden=hidden,
            heads=[heads] * 12,
            mlp_ratios=[4] * 12,
            num_classes=1000,
            image_size=224,
            patch_size=16,
        )
    assert count(network) == params


@pytest.mark.parametrize(("image_size", "patch_size"), [(32, 4), (224, 16), (8, 8)])
def test_parameter_counts_equal_the_definition(image_size: int, patch_size: int) -> None:
    space = AutoFormerSpace(depths=(3,), image_size=image_size, patch_size=patch_size)
    arch = space.from_string("216-h3,4,3-m3.5,4,4")
    with torch.device("meta"):
        network = space.build(arch, 10)
    assert count(network) == expected_params(arch, 10, image_size=image_size, patch_size=patch_size)


def test_the_network_has_its_width_heads_ratios_and_depth() -> None:
    with torch.device("meta"):
        network = SHALLOW.build(SHALLOW.from_string("216-h3,4,4-m3.5,4,3.5"), 10)
    blocks = list(network.get_submodule("blocks").children())
    found = [
        [
            (layer.in_features, layer.out_features)
            for layer in block.modules()
            if isinstance(layer, nn.Linear)
        ]
        for block in blocks
    ]
    assert found == [
        [(216, 576), (192, 216), (216, 756), (756, 216)],
        [(216, 768), (256, 216), (216, 864), (864, 216)],
        [(216, 768), (256, 216), (216, 756), (756, 216)],
    ]
    assert [sum(isinstance(m, nn.GELU) for m in block.modules()) for block in blocks] == [1, 1, 1]
    assert [sum(isinstance(m, nn.LayerNorm) for m in block.modules()) for block in blocks] == [
        2
    ] * 3


def slow_transformer(network: VisionTransformer, images: Tensor) -> Tensor:
    """Compute the logits image by image and head by head, from the weights by their names."""
    weights = dict(network.named_parameters())

    def linear(x: Tensor, name: str) -> Tensor:
        return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    def norm(x: Tensor, name: str) -> Tensor:
        centered = x - x.mean(-1, keepdim=True)
        scaled = centered / (centered.square().mean(-1, keepdim=True) + 1e-5).sqrt()
        return scaled * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    def attention(x: Tensor, name: str, heads: int) -> Tensor:
        qkv = linear(x, f"{name}.qkv")
        outputs = []
        for head in range(heads):
            query, key, value = (
                qkv[:, (part * heads + head) * 64 : (part * heads + head + 1) * 64]
                for part in range(3)
            )
            scores = torch.stack([torch.stack([q @ k / 8 for k in key]) for q in query])
            scores = scores.exp() / scores.exp().sum(-1, keepdim=True)
            outputs.append(scores @ value)
        return linear(torch.cat(outputs, dim=-1), f"{name}.proj")

    def logits(image: Tensor) -> Tensor:
        kernel, bias = weights["patches.weight"], weights["patches.bias"]
        size = kernel.shape[-1]
        tokens = [weights["class_token"][0, 0]]
        for i, j in itertools.product(
            range(0, image.shape[1], size), range(0, image.shape[2], size)
        ):
            patch = image[:, i : i + size, j : j + size]
            tokens.append((kernel * patch).sum((1, 2, 3)) + bias)
        x = torch.stack(tokens) + weights["positions"][0]
        for i, heads in enumerate((1, 2)):
            x = x + attention(norm(x, f"blocks.{i}.norm1"), f"blocks.{i}.attention", heads)
            inner = linear(norm(x, f"blocks.{i}.norm2"), f"blocks.{i}.mlp.0")
            inner = inner * (1 + torch.erf(inner / 2**0.5)) / 2
            x = x + linear(inner, f"blocks.{i}.mlp.2")
        return linear(norm(x, "norm")[0], "head")

    return torch.stack([logits(image) for image in images])


def test_the_transformer_equals_a_slow_reference() -> None:
    torch.manual_seed(0)
    network = small_vit().double()
    for parameter in network.parameters():  # large enough that every part affects the output
        nn.init.normal_(parameter, std=0.5)
    images = torch.randn(3, 3, 8, 8, dtype=torch.float64)
    torch.testing.assert_close(network(images), slow_transformer(network, images))


def test_the_head_reads_the_class_token_after_the_last_norm() -> None:
    network = small_vit()
    seen: dict[str, Tensor] = {}
    network.norm.register_forward_hook(lambda _m, _i, output: seen.update(tokens=output))
    network.head.register_forward_hook(lambda _m, inputs, _o: seen.update(read=inputs[0]))
    network(torch.randn(2, 3, 8, 8))
    assert torch.equal(seen["read"], seen["tokens"][:, 0])


def test_weights_start_small_and_biases_at_zero() -> None:
    torch.manual_seed(0)
    network = small_vit(hidden=192, heads=(3,), mlp_ratios=(4,), num_classes=100, image_size=32)
    drawn: list[Tensor] = [network.positions, network.class_token]
    for module in network.modules():
        if isinstance(module, nn.Linear):
            drawn.append(module.weight)
            assert not module.bias.any()
    for weights in drawn:
        assert abs(weights.std().item() - 0.02) < 0.003


@pytest.mark.parametrize("shape", [(3, 32, 32), (3, 8, 4), (3, 9, 9)])
def test_images_of_another_size_are_refused(shape: tuple[int, ...]) -> None:
    got = f"{shape[1]}×{shape[2]}"
    with pytest.raises(ValueError, match=f"Expected images of 8×8 pixels, but got {got}"):
        small_vit()(torch.zeros(2, *shape))


def test_images_of_another_size_can_be_allowed() -> None:
    assert small_vit(image_size=12)(torch.zeros(2, 3, 12, 12)).shape == (2, 3)


@pytest.mark.parametrize(
    "change",
    [
        {"heads": ()},
        {"heads": (1,)},
        {"heads": (1, 0)},
        {"mlp_ratios": (2, 0.1)},
        {"hidden": 0},
        {"num_classes": 0},
        {"in_channels": 0},
        {"image_size": 10},
        {"patch_size": 0},
    ],
    ids=str,
)
def test_invalid_options_are_refused(change: Mapping[str, Any]) -> None:
    with pytest.raises(ValueError, match="Expected"):
        small_vit(**change)


def test_second_derivatives_are_correct() -> None:
    torch.manual_seed(0)
    network = small_vit(image_size=4, patch_size=2, in_channels=1).double()
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.3)
    images = torch.randn(1, 1, 4, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(network, (images,))


def test_second_derivatives_reach_all_weights() -> None:
    network = small_vit()
    weights = list(network.parameters())
    loss = network(torch.randn(4, 3, 8, 8)).square().sum()
    gradients = torch.autograd.grad(loss, weights, create_graph=True)
    sum(gradient.square().sum() for gradient in gradients).backward()  # type: ignore[union-attr]
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in weights)


def test_the_forward_pass_can_be_traced() -> None:
    network = small_vit()
    images = torch.randn(2, 3, 8, 8)
    assert torch.equal(fx.symbolic_trace(network)(images), network(images))
