"""The blocks of a network are found in every container."""

from collections.abc import Callable, Iterable
from typing import Any, cast

import pytest
import torch
from torch import Tensor, nn

import diswot
from diswot.networks.layers import blocks
from search_spaces import Choice, ChoiceSpace, NASBench201Space


class Block(nn.Module):
    """A residual block."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = x + self.norm(self.conv(x)).relu()
        return y


def layers(width: int) -> nn.Module:
    """A block of layers in a sequence."""
    return nn.Sequential(nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU())


class Holder(nn.Module):
    """Has modules as attributes, and is never called."""

    def __init__(self, held: Iterable[nn.Module]) -> None:
        super().__init__()
        for number, module in enumerate(held):
            self.add_module(f"part_{number}", module)


class Named(nn.ModuleDict):
    """A user-defined dictionary."""


def by_name(held: Iterable[nn.Module]) -> nn.ModuleDict:
    """Modules in a dictionary."""
    return nn.ModuleDict({f"stage_{number}": module for number, module in enumerate(held)})


def halves(held: Iterable[nn.Module]) -> nn.ModuleDict:
    """Two lists in a dictionary."""
    found = list(held)
    return nn.ModuleDict({"early": nn.ModuleList(found[:2]), "late": Holder(found[2:])})


class Body(nn.Module):
    """Runs its modules by name."""

    def __init__(self, held: Iterable[nn.Module]) -> None:
        super().__init__()
        self.stages = by_name(held)

    def forward(self, x: Tensor) -> Tensor:
        for stage in self.stages.values():
            x = stage(x)
        return x


HELD: dict[str, Callable[[Iterable[nn.Module]], nn.Module]] = {
    "list": nn.ModuleList,
    "dictionary": by_name,
    "dictionary of one's own": lambda held: Named(dict(by_name(held).items())),
    "module without forward": Holder,
    "nested": halves,
    "module that runs a dictionary": Body,
}


class Network(nn.Module):
    """A stem, four blocks in some container, and a head."""

    def __init__(self, hold: Any, make: Callable[[int], nn.Module], width: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, width, 3)
        self.body = hold([make(width) for _ in range(4)])
        self.head = nn.Linear(width, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for block in run_in_order(self.body):
            x = block(x)
        logits: Tensor = self.head(x.mean((2, 3)))
        return logits


def run_in_order(body: nn.Module) -> Iterable[nn.Module]:
    """Return the modules of a body in the order of calls."""
    if isinstance(body, nn.Sequential | Body | Block) or not list(body.children()):
        yield body
    else:
        for child in body.children():
            yield from run_in_order(child)


class Space(ChoiceSpace):
    """Networks that have their blocks in a given container."""

    width = Choice(4, 8)

    def __init__(self, hold: Any, make: Callable[[int], nn.Module]) -> None:
        super().__init__()
        self.hold, self.make = hold, make

    def build(self, arch: Any, num_classes: int) -> nn.Module:
        """Return the network of `arch`."""
        return Network(self.hold, self.make, arch.width)


def in_sequence(held: Iterable[nn.Module]) -> nn.Module:
    """Modules in a sequence."""
    return nn.Sequential(*held)


def scored(hold: Any, make: Callable[[int], nn.Module]) -> list[float | None]:
    found = diswot.score(
        ["width=4", "width=8"],
        "resnet20",
        space=Space(hold, make),
        data="digits",
        repeats=1,
        batch_size=16,
        scorer="student_fit_1",
        teacher_state="random",
    )
    assert [candidate.failure for candidate in found] == [None, None]
    return [candidate.score for candidate in found]


@pytest.fixture(scope="module", params=[Block, layers])
def made(request: pytest.FixtureRequest) -> tuple[Callable[[int], nn.Module], list[Any]]:
    return request.param, scored(in_sequence, request.param)


@pytest.mark.parametrize("kind", HELD)
def test_blocks_are_scored_equally_in_every_container(kind: str, made: Any) -> None:
    make, expected = made
    assert scored(HELD[kind], make) == expected


def test_a_cell_of_named_edges_is_one_block() -> None:
    space = NASBench201Space(channels=4, cells=2)
    arch = space.from_string(
        "|nor_conv_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|none~0|none~1|nor_conv_3x3~2|"
    )
    kinds = [type(block).__name__ for block in blocks(space.build(arch, 10))]
    assert kinds == ["Cell"] * 2 + ["Reduction"] + ["Cell"] * 2 + ["Reduction"] + ["Cell"] * 2


class Wrapped(nn.Module):
    """Normalizes images before the network."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Any:
        return self.network(x / 2)


def compiled(network: nn.Module) -> nn.Module:
    """Return a network that is compiled when it is first called."""
    return cast(nn.Module, torch.compile(network, backend="eager"))


@pytest.mark.parametrize("wrap", [Wrapped, nn.DataParallel, compiled])
def test_blocks_of_a_wrapped_network_are_found(wrap: Callable[[nn.Module], nn.Module]) -> None:
    network = Network(by_name, Block, 4)
    assert blocks(wrap(network)) == blocks(network)
    flat = nn.Sequential(Block(1), nn.Flatten(), nn.Linear(64, 10))
    assert blocks(wrap(flat)) == [flat[0]]
