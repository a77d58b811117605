"""The contract of every search space, and the names that it refuses."""

from collections import defaultdict
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from diswot.search import Costs, measure_costs
from search_spaces import (
    Architecture,
    AutoFormerSpace,
    Choice,
    ChoiceSpace,
    MacroSpace,
    NASBench101Space,
    NASBench201Space,
    NASBenchMacroSpace,
    NATSSizeSpace,
    ResNetDepthSpace,
    SearchSpace,
    ThinSpace,
)
from tests.signatures import of_images

SHAPE = (3, 8, 8)
ENUMERABLE = 20_000
SEEDS = st.integers(0, 2**63 - 1)


class Custom(ChoiceSpace):
    """A user-defined space with numbers, words and booleans to choose from."""

    width = Choice(2, 4, 8)
    activation = Choice("relu", "gelu")
    normalized = Choice(False, True)

    def build(self, arch: Architecture, num_classes: int) -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(3, arch.width, 3, padding=1),
            nn.BatchNorm2d(arch.width) if arch.normalized else nn.Identity(),
            nn.ReLU() if arch.activation == "relu" else nn.GELU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(arch.width, num_classes),
        )


SPACES: dict[str, SearchSpace] = {
    "ResNetDepthSpace": ResNetDepthSpace(),
    "ResNetDepthSpace of two stages": ResNetDepthSpace((1, 10), widths=(2, 2, 4)),
    "NASBench101Space": NASBench101Space(channels=6),
    "NASBench201Space": NASBench201Space(channels=2, cells=1),
    "NASBenchMacroSpace": NASBenchMacroSpace(),
    "NATSSizeSpace": NATSSizeSpace(),
    "ThinSpace": ThinSpace(),
    "ChoiceSpace": Custom(),
    "MacroSpace": MacroSpace(widths=(8, 16), max_layers=9),
    "MacroSpace of bottlenecks": MacroSpace(
        bottlenecks=True, image_size=224, widths=(8,), max_layers=9
    ),
    "AutoFormerSpace": AutoFormerSpace(
        image_size=8, hidden_dims=(8, 16), depths=(1, 2), heads=(1, 2), mlp_ratios=(0.5, 2)
    ),
}
CHOICE_SPACES = {name: space for name, space in SPACES.items() if isinstance(space, ChoiceSpace)}


@pytest.fixture(scope="module", params=list(SPACES.values()), ids=list(SPACES))
def space(request: pytest.FixtureRequest) -> SearchSpace:
    found: SearchSpace = request.param
    return found


@pytest.fixture(scope="module", params=list(CHOICE_SPACES.values()), ids=list(CHOICE_SPACES))
def choice_space(request: pytest.FixtureRequest) -> ChoiceSpace:
    found: ChoiceSpace = request.param
    return found


def belongs(space: SearchSpace, arch: Architecture) -> bool:
    """Return whether `arch` is in `space`, by reading its name back."""
    return hash(arch) is not None and space.from_string(space.to_string(arch)) == arch


@given(seed=SEEDS)
def test_samples_are_in_the_space(space: SearchSpace, seed: int) -> None:
    assert belongs(space, space.sample(np.random.default_rng(seed)))


@given(seed=SEEDS)
def test_a_mutant_is_a_different_architecture_of_the_space(space: SearchSpace, seed: int) -> None:
    rng = np.random.default_rng(seed)
    arch = space.sample(rng)
    mutant = space.mutate(arch, rng)
    assert belongs(space, mutant)
    assert mutant != arch


@given(seed=SEEDS)
def test_a_child_is_in_the_space(space: SearchSpace, seed: int) -> None:
    rng = np.random.default_rng(seed)
    assert belongs(space, space.crossover(space.sample(rng), space.sample(rng), rng))


@given(seed=SEEDS)
def test_every_field_of_a_child_comes_from_a_parent(choice_space: ChoiceSpace, seed: int) -> None:
    rng = np.random.default_rng(seed)
    mother, father = choice_space.sample(rng), choice_space.sample(rng)
    child = choice_space.crossover(mother, father, rng)
    assert all(field in pair for field, *pair in zip(child, mother, father, strict=True))


@given(seed=SEEDS)
def test_a_child_of_equal_parents_equals_them(space: SearchSpace, seed: int) -> None:
    rng = np.random.default_rng(seed)
    arch = space.sample(rng)
    assert space.crossover(arch, arch, rng) == arch


@given(seed=SEEDS)
def test_parents_are_not_changed(space: SearchSpace, seed: int) -> None:
    rng = np.random.default_rng(seed)
    mother, father = space.sample(rng), space.sample(rng)
    names = space.to_string(mother), space.to_string(father)
    space.crossover(mother, father, rng)
    space.mutate(mother, rng)
    assert (space.to_string(mother), space.to_string(father)) == names


def drawn(space: SearchSpace, seed: int) -> list[Architecture]:
    rng = np.random.default_rng(seed)
    mother, father = space.sample(rng), space.sample(rng)
    return [mother, father, space.mutate(mother, rng), space.crossover(mother, father, rng)]


@given(seed=SEEDS)
def test_the_same_generator_gives_the_same_samples(space: SearchSpace, seed: int) -> None:
    assert drawn(space, seed) == drawn(space, seed)


@given(seed=SEEDS)
def test_only_the_given_generator_is_used(space: SearchSpace, seed: int) -> None:
    before = torch.random.get_rng_state()
    np.random.seed(1)  # noqa: NPY002  the global generator is what must not be used
    first = drawn(space, seed)
    np.random.seed(2)  # noqa: NPY002
    assert drawn(space, seed) == first
    assert torch.equal(torch.random.get_rng_state(), before)


def test_every_architecture_of_a_small_space_can_be_sampled(space: SearchSpace) -> None:
    if space.size is None or space.size > 100:
        pytest.skip("too large to be sampled completely")
    rng = np.random.default_rng(0)
    assert {space.sample(rng) for _ in range(20 * space.size)} == set(space)


def test_iteration_yields_every_architecture_once(space: SearchSpace) -> None:
    if space.size is None or space.size > ENUMERABLE:
        pytest.skip("too large to be enumerated")
    everything = list(space)
    assert len(everything) == space.size
    assert len(set(everything)) == space.size
    assert len({space.to_string(arch) for arch in everything}) == space.size


@given(seed=SEEDS)
def test_names_are_one_line(space: SearchSpace, seed: int) -> None:
    arch = space.sample(np.random.default_rng(seed))
    assert "\n" not in space.to_string(arch)
    assert "\n" not in space.canonical_key(arch)


@given(seed=SEEDS)
def test_spaces_around_a_name_do_not_matter(space: SearchSpace, seed: int) -> None:
    arch = space.sample(np.random.default_rng(seed))
    assert space.from_string(f" {space.to_string(arch)} ") == arch


@pytest.mark.parametrize("num_classes", [2, 7])
def test_networks_have_the_requested_number_of_classes(
    space: SearchSpace, num_classes: int
) -> None:
    arch = space.sample(np.random.default_rng(0))
    network = space.build(arch, num_classes).eval()
    with torch.inference_mode():
        assert network(torch.zeros(2, *SHAPE)).shape == (2, num_classes)


def test_networks_are_initialized_from_torchs_generator(space: SearchSpace) -> None:
    arch = space.sample(np.random.default_rng(0))

    def weights(seed: int) -> Tensor:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            return torch.cat([p.flatten() for p in space.build(arch, 3).parameters()])

    assert torch.equal(weights(0), weights(0))
    assert not torch.equal(weights(0), weights(1))


def test_the_costs_of_an_architecture_are_deterministic(space: SearchSpace) -> None:
    arch = space.sample(np.random.default_rng(0))
    again = space.from_string(space.to_string(arch))

    def costs(arch: Architecture) -> Costs:
        return measure_costs(lambda: space.build(arch, 5), of_images(*SHAPE, outputs=5))

    assert costs(arch) == costs(again)


def equal_key_pairs(space: SearchSpace, draws: int) -> list[tuple[Architecture, Architecture]]:
    """Return pairs of different architectures of equal canonical key."""
    rng = np.random.default_rng(0)
    groups: dict[str, set[Architecture]] = defaultdict(set)
    for _ in range(draws):
        arch = space.sample(rng)
        groups[space.canonical_key(arch)].add(arch)
    return [pair for group in groups.values() for pair in pairwise(sorted(group, key=str))]


def outputs(space: SearchSpace, arch: Architecture) -> Tensor:
    """Return the outputs of the network of `arch` with weights that depend only on their shape.

    Normalization keeps its initial values: a branch that gets only zeros returns zeros until
    its shift is trained, and canonical keys rely on that.
    """
    network = space.build(arch, 3).double().eval()
    with torch.no_grad():
        for module in network.modules():
            if not isinstance(module, nn.BatchNorm2d):
                for weight in module.parameters(recurse=False):
                    order = torch.arange(weight.numel(), dtype=torch.float64).view_as(weight)
                    weight.copy_(torch.sin(order + weight.ndim) + 0.1)
        images = torch.sin(torch.arange(2 * 192, dtype=torch.float64)).view(2, *SHAPE)
        found: Tensor = network(images)
    return found


# Costs may differ: in NAS-Bench-201 an edge without effect has parameters too,
# and a sum of two equal terms can be one convolution or two.
@pytest.mark.slow
def test_networks_with_equal_keys_compute_the_same_outputs(space: SearchSpace) -> None:
    for one, other in equal_key_pairs(space, draws=400)[:60]:
        expected = outputs(space, one)
        assert torch.allclose(outputs(space, other), expected, rtol=1e-9, atol=1e-9)


def test_equivalent_cells_of_nas_bench_201_share_a_key() -> None:
    assert len(equal_key_pairs(SPACES["NASBench201Space"], draws=400)) >= 20


@given(seed=SEEDS)
def test_an_architecture_read_from_its_name_has_the_same_key(space: SearchSpace, seed: int) -> None:
    arch = space.sample(np.random.default_rng(seed))
    again = space.from_string(space.to_string(arch))
    assert space.canonical_key(again) == space.canonical_key(arch)


@pytest.mark.slow
def test_the_effective_architecture_computes_the_same_outputs(space: SearchSpace) -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        arch = space.sample(rng)
        effective = space.effective(arch)
        assert space.effective(effective) == effective
        expected = outputs(space, arch)
        assert torch.allclose(outputs(space, effective), expected, rtol=1e-9, atol=1e-9)


def test_edges_without_effect_are_removed_before_scoring() -> None:
    space = SPACES["NASBench201Space"]
    arch = space.from_string(
        "|nor_conv_3x3~0|+|none~0|none~1|+|nor_conv_1x1~0|none~1|avg_pool_3x3~2|"
    )
    cut = "|none~0|+|none~0|none~1|+|nor_conv_1x1~0|none~1|none~2|"
    assert space.to_string(space.effective(arch)) == cut


# Invalid input


@given(text=st.text() | st.text(alphabet="|~+-=,0123 nonewidth"))
def test_invalid_text_is_a_one_line_error(space: SearchSpace, text: str) -> None:
    with pytest.raises(ValueError, match="xpected") as refusal:
        space.from_string(text)
    assert "\n" not in str(refusal.value)


@given(seed=SEEDS, data=st.data())
def test_any_damaged_name_is_refused_or_an_architecture(
    space: SearchSpace, seed: int, data: st.DataObject
) -> None:
    name = space.to_string(space.sample(np.random.default_rng(seed)))
    place = data.draw(st.integers(0, len(name) - 1))
    broken = name[:place] + data.draw(st.text(max_size=2)) + name[place + 1 :]
    try:
        arch = space.from_string(broken)
    except ValueError as refusal:
        assert "\n" not in str(refusal)  # noqa: PT017  either is right
    else:
        assert belongs(space, arch)


def test_a_choice_without_options_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one option"):
        Choice()


@pytest.mark.parametrize(
    "options",
    [(1, 1), (1, "1"), ("a", "b", "a"), (1, 1.0)],
    ids=["twice", "number and text", "far apart", "equal values"],
)
def test_options_with_the_same_text_are_refused(options: tuple[object, ...]) -> None:
    with pytest.raises(ValueError, match="Expected"):
        Choice(*options)


@pytest.mark.parametrize(
    "option",
    [(1, 3), "a b", " a", "a,b", "a=b", "a\nb", ""],
    ids=["tuple", "space", "space before", "comma", "equals sign", "line break", "nothing"],
)
def test_any_option_is_read_back_or_refused_at_construction(option: object) -> None:
    try:
        space = Custom({"field": Choice(option, "other")})
    except ValueError:
        return
    for arch in space:
        assert "\n" not in space.to_string(arch)
        assert space.from_string(space.to_string(arch)) == arch


def test_a_space_without_fields_is_refused() -> None:
    class NoFields(ChoiceSpace):
        def build(self, arch: Architecture, num_classes: int) -> nn.Module:
            return nn.Identity()

    with pytest.raises(ValueError, match="NoFields has no Choice"):
        NoFields()


@pytest.mark.parametrize(
    "arguments",
    [{"depths": ()}, {"depths": (0, 1)}, {"widths": (16,)}, {"widths": ()}, {"in_channels": 0}],
    ids=str,
)
def test_a_depth_space_without_networks_is_refused(arguments: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="Expected"):
        ResNetDepthSpace(**arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("argument", ["channels", "cells", "in_channels"])
def test_a_cell_space_without_networks_is_refused(argument: str) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        NASBench201Space(**{argument: 0})


def test_iterating_over_an_unenumerable_space_is_an_error() -> None:
    class Endless(Custom):
        __iter__ = SearchSpace.__iter__

    with pytest.raises(TypeError, match="Endless cannot be enumerated"):
        iter(Endless())
