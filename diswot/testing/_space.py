"""The contract of search spaces."""

import numpy as np
import torch
from torch import Tensor

from diswot.networks.costs import measure_costs
from diswot.testing._networks import global_randomness_unused, require
from search_spaces import Architecture, SearchSpace, Signature, TensorSpec

IMAGES = Signature((TensorSpec("images", (3, 32, 32)),), 7)
"""Default signature of the networks."""

MOST_ENUMERATED = 20_000


def check_space(
    space: SearchSpace, *, signature: Signature = IMAGES, draws: int = 20, seed: int = 0
) -> None:
    """Check the contract of a search space.

    Names can be parsed; all randomness comes from the generator that is passed in; mutations
    and crossovers belong to the space; networks have the inputs and outputs of the signature,
    and are initialized only by torch's generator.

    Args:
        space: the search space.
        signature: shapes of the networks' inputs and outputs.
        draws: number of architectures on which rules are checked.
        seed: seed of these architectures.

    Raises:
        AssertionError: a rule is broken; the message names it and an architecture.

    Examples:
        >>> from search_spaces import ResNetDepthSpace
        >>> check_space(ResNetDepthSpace(), draws=3)
    """
    _check_chance(space, seed)
    rng = np.random.default_rng(seed)
    # 1. Names, keys and variation of random architectures.
    drawn = [space.sample(rng) for _ in range(draws)]
    for arch in drawn:
        _check_name(space, arch)
    for mother, father in zip(drawn, reversed(drawn), strict=True):
        _check_variation(space, mother, father, rng)
    # 2. Enumeration, if the space is small enough to list.
    if space.size is not None and space.size <= MOST_ENUMERATED:
        _check_enumeration(space)
    # 3. Networks are slow to build, so only a fifth of the architectures is built.
    for arch in drawn[: max(1, draws // 5)]:
        _check_network(space, arch, signature)


def _check_name(space: SearchSpace, arch: Architecture) -> None:
    # Architectures are keys of dictionaries, and manifests and journals contain their names.
    hash(arch)
    name = space.to_string(arch)
    require("\n" not in name, f"to_string writes one line, but wrote {name!r}")
    require(space.from_string(name) == arch, f"from_string reads what to_string wrote: {name}")
    require(space.from_string(f" {name} ") == arch, f"from_string ignores spaces around {name}")
    key = space.canonical_key(arch)
    require("\n" not in key, f"canonical_key is one line, but is {key!r}")
    require(space.canonical_key(space.from_string(name)) == key, f"{name} keeps its key")
    effective = space.effective(arch)
    require(space.effective(effective) == effective, f"effective of {name} is stable")


def _check_variation(
    space: SearchSpace, mother: Architecture, father: Architecture, rng: np.random.Generator
) -> None:
    names = space.to_string(mother), space.to_string(father)
    mutant, child = space.mutate(mother, rng), space.crossover(mother, father, rng)
    for made in (mutant, child):
        _check_name(space, made)
    if space.size != 1:
        require(mutant != mother, f"mutate returns another architecture than {names[0]}")
    require(space.crossover(mother, mother, rng) == mother, f"a child of {names[0]} alone is it")
    # Engines keep parents in the population, so variation must not modify them.
    left = space.to_string(mother), space.to_string(father)
    require(left == names, "mutate and crossover leave their arguments unchanged")


def _check_chance(space: SearchSpace, seed: int) -> None:
    def drawn() -> list[Architecture]:
        rng = np.random.default_rng(seed)
        first, second = space.sample(rng), space.sample(rng)
        return [first, second, space.mutate(first, rng), space.crossover(first, second, rng)]

    with global_randomness_unused("all chance comes from the generator that is passed in"):
        once, again = drawn(), drawn()
    require(once == again, "the same generator draws the same architectures")


def _check_enumeration(space: SearchSpace) -> None:
    everything = list(space)
    require(
        len(everything) == space.size, f"size is {space.size}, but {len(everything)} are listed"
    )
    require(len(set(everything)) == space.size, "iteration lists every architecture once")
    names = {space.to_string(arch) for arch in everything}
    require(len(names) == space.size, "architectures have different names")


def _check_network(space: SearchSpace, arch: Architecture, signature: Signature) -> None:
    name = space.to_string(arch)

    def weights(seed: int) -> Tensor:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = space.network(arch, signature)
        return torch.cat([parameter.detach().flatten() for parameter in network.parameters()])

    require(torch.equal(weights(0), weights(0)), f"{name}: torch's generator decides the weights")
    require(not torch.equal(weights(0), weights(1)), f"{name}: another seed, other weights")
    network = space.network(arch, signature).eval()
    # 7 outputs in the default signature: a network with a fixed number of classes fails.
    with torch.inference_mode():
        output = network(*signature.example(2, generator=torch.Generator().manual_seed(0)))
    shape = tuple(getattr(output, "shape", ()))
    require(
        shape == (2, signature.outputs),
        f"{name}: expected outputs (2, {signature.outputs}) of {signature.describe()}, "
        f"but got {shape or type(output).__name__}",
    )
    parameters = sum(parameter.numel() for parameter in network.parameters())
    # Searches count costs on the meta device; a network that allocates there counts differently.
    costs = measure_costs(lambda: space.network(arch, signature), signature)
    require(
        costs.params == parameters,
        f"{name}: counted {costs.params} parameters on the meta device, but it has {parameters}",
    )
