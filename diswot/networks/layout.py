"""Where a network shows what: its feature maps by dotted path, and its stages."""

import difflib
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import torch
from torch import Tensor, nn

from diswot.errors import NetworkError
from diswot.networks import (
    ActivationReader,
    Activations,
    Watch,
    as_map,
    inner,
    is_map,
    kept_modes,
)
from diswot.networks.layers import activation_functions, blocks
from diswot.networks.taps import Shape, in_stages

_T = TypeVar("_T")
_U = TypeVar("_U")
_V = TypeVar("_V")

NAMED = 8
"""Paths that a message names at most."""


@dataclass(frozen=True)
class _ModuleAt:
    """The module at a dotted path, as what a watch watches."""

    path: str

    @property
    def __name__(self) -> str:
        return f"module {self.path}"

    def __call__(self, network: nn.Module) -> Iterable[nn.Module]:
        return [inner(network).get_submodule(self.path)]


def _kept_map(_given: Tensor, output: Tensor) -> Tensor:
    return as_map(output)


def _copied_map(given: Tensor, _output: Tensor) -> Tensor:
    return as_map(given).clone()


@dataclass(frozen=True)
class Tap:
    """A place of a network whose feature map is read.

    Attributes:
        path: dotted path of the module; empty for the last feature map before the classifier.
        shape: (C, H, W) of the map.
        before: whether it is what the module is given, not what it makes of it.
        call: which call of the module in a forward pass; −1 is the last.
    """

    path: str
    shape: Shape
    before: bool = False
    call: int = -1

    @property
    def watches(self) -> tuple[Watch[Tensor], ...]:
        """What a forward pass must keep so that the tap can be read."""
        if not self.path:
            return ()
        keep = _copied_map if self.before else _kept_map
        return (Watch(_ModuleAt(self.path), keep, before=self.before),)

    def read(self, activations: Activations) -> Tensor:
        """Return the feature map (B, C, H, W) of the call."""
        for watch in self.watches:
            return activations.watched(watch)[self.call]
        return activations.feature_map


@dataclass(frozen=True)
class Layout:
    """Where a network has its outputs and activations, found by one trial pass.

    Attributes:
        who: what the network is called in messages.
        maps: (C, H, W) of every module that shows a feature map or tokens, by dotted path.
        blocks: paths of the blocks among them, in the order of the calls.
        activated: what their activation function is given, of the modules that end in one.
        last_map: (C, H, W) of the last feature map; `None` where there is none.
        outputs: N, numbers that the network returns for one example.
        width: D, what the classifier reads; `None` where there is none.
        unread: why there is none, if so.
        unmapped: why there is no feature map, if so.
    """

    who: str
    maps: Mapping[str, Shape]
    blocks: tuple[str, ...]
    activated: Mapping[str, Tap]
    last_map: Shape | None
    outputs: int
    width: int | None
    unread: str = ""
    unmapped: str = ""

    @property
    def feature_map(self) -> Shape:
        """(C, H, W) of the last feature map.

        Raises:
            NetworkError: there is none.
        """
        if self.last_map is None:
            raise NetworkError(self.unmapped)
        return self.last_map

    @property
    def features(self) -> int:
        """D, what the classifier reads.

        Raises:
            NetworkError: the network returns something else than the output of one layer.
        """
        if self.width is None:
            raise NetworkError(self.unread)
        return self.width

    def tap(self, path: str) -> Tap:
        """Return the tap at a dotted path.

        Raises:
            NetworkError: no module at that path shows a feature map; names some that do.
        """
        if path in self.maps:
            return Tap(path, self.maps[path])
        near = set(difflib.get_close_matches(path, self.maps, n=NAMED, cutoff=0))
        named = [f"{name} ({_times(shape)})" for name, shape in self.maps.items() if name in near]
        more = f" and {len(self.maps) - len(near)} more" if len(self.maps) > len(near) else ""
        raise NetworkError(
            f"{self.who} has no module {path!r} that shows a feature map or tokens: "
            f"there are {', '.join(named)}{more}"
        )

    def before_activation(self, tap: Tap) -> Tap:
        """Return the tap on what the activation function that a module ends in is given.

        That is `tap` itself where the module ends in none, or in a function that is no module.
        """
        return self.activated.get(tap.path, tap)

    def last(self) -> list[Tap]:
        """Return the last feature map before the classifier, as the only tap."""
        return [Tap("", self.feature_map)]

    def stages(self) -> list[Tap]:
        """Return what ends every stage; see [`stages`][diswot.networks.taps.stages].

        That is its last block, or a module that holds blocks of that stage alone.
        """
        return [last for _, last in self.flows()]

    def middle(self) -> list[Tap]:
        """Return what ends the stage in the middle, as the only tap."""
        found = self.stages()
        return [found[len(found) // 2]]

    def flows(self) -> list[tuple[Tap, Tap]]:
        """Return the first block of every stage, and what ends the stage.

        Raises:
            NetworkError: no block shows a feature map.
        """
        if not self.blocks:
            raise NetworkError(
                f"no block of {self.who} shows a feature map (B, C, H, W) or tokens (B, T, C), so "
                "it has no stages to compare: write its blocks as modules, or use another loss"
            )
        taps = [Tap(path, self.maps[path]) for path in self.blocks]
        runs = in_stages(taps, lambda tap: tap.shape[1:])
        ends = [self._outermost(run) for run in runs]
        return [(run[0] if len(run) > 1 else end, end) for run, end in zip(runs, ends, strict=True)]

    def _outermost(self, stage: Sequence[Tap]) -> Tap:
        """Return the largest module that ends with a stage and holds no block of another.

        It can show more than its last block does: a sum with a shortcut, an activation.
        """
        last, within = stage[-1], {tap.path for tap in stage}
        names = last.path.split(".")
        for holder in (".".join(names[:depth]) for depth in range(1, len(names))):
            held = {path for path in self.blocks if path.startswith(f"{holder}.")}
            if self.maps.get(holder, ())[1:] == last.shape[1:] and held <= within:
                return Tap(holder, self.maps[holder])
        return last


def _times(shape: Shape) -> str:
    return "×".join(map(str, shape))


@torch.no_grad()
def layout(network: nn.Module, *inputs: Tensor, who: str = "the network") -> Layout:
    """Return where `network` has its outputs and activations, from one pass in evaluation mode.

    Args:
        network: its modes, parameters and statistics are as before afterwards.
        *inputs: what it is called with, each (B, …).
        who: what the network is called in messages.

    Raises:
        NetworkError: it returns no output (B, N).

    Examples:
        >>> from search_spaces import CifarResNet
        >>> found = layout(CifarResNet((3, 5, 1), num_classes=10), torch.zeros(2, 3, 32, 32))
        >>> [(tap.path, tap.shape) for tap in found.stages()][:2]
        [('stages.0', (16, 32, 32)), ('stages.1', (32, 16, 16))]
    """
    bare = inner(network)
    notes = _Notes(bare)
    with kept_modes(network), ActivationReader(network, watches=notes.watches, who=who) as read:
        network.eval()
        activations = read.forward(*inputs)
    names = {module: path for path, module in bare.named_modules()}
    found = {names[block] for block in blocks(bare)}
    maps, last = notes.maps, activations.feature_map
    return Layout(
        who,
        maps=maps,
        blocks=tuple(path for path in maps if path in found and math.prod(maps[path][1:]) > 1),
        activated=notes.activated,
        last_map=None if last is None else tuple(last.shape[1:]),
        outputs=activations.output.shape[1],
        width=None if activations.features is None else activations.features.shape[1],
        unread=activations.unread,
        unmapped=activations.unmapped,
    )


class _Notes:
    """What a forward pass shows of the modules of a network, by dotted path.

    Attributes:
        maps: (C, H, W) of every module that shows a feature map or tokens.
        activated: what their activation function is given, of the modules that end in one.
    """

    def __init__(self, network: nn.Module) -> None:
        self.maps: dict[str, Shape] = {}
        self.activated: dict[str, Tap] = {}
        self._network = network
        self._activations = set(activation_functions(network))
        self._calls: Counter[str] = Counter()
        self._made: list[tuple[Tap, Tensor]] = []  # the last output of an activation function

    @property
    def watches(self) -> list[Watch[None]]:
        """What makes these notes."""
        modules = self._network.named_modules(remove_duplicate=False)
        return [Watch(_ModuleAt(path), partial(self._note, path)) for path, _ in modules if path]

    def _note(self, path: str, _given: Tensor, output: Tensor) -> None:
        if output.ndim != 4 and not is_map(output):
            return
        self.maps[path] = tuple(as_map(output).shape[1:])
        if self._network.get_submodule(path) in self._activations:
            tap = Tap(path, self.maps[path], before=True, call=self._calls[path])
            self._made[:] = [(tap, output)]
            self._calls[path] += 1
        for tap, activation in self._made:
            if output is activation:
                self.activated[path] = tap


def paired(ours: Sequence[_T], theirs: Sequence[_U]) -> list[tuple[_T, _U]]:
    """Return pairs of places of two networks at the same relative depth.

    Of the network with fewer each has one partner, and the last are always partners.

    Examples:
        >>> paired("abc", "ABCD"), paired("abc", "C")
        ([('a', 'A'), ('b', 'C'), ('c', 'D')], [('c', 'C')])
    """
    pairs = min(len(ours), len(theirs))

    def spread(places: Sequence[_V]) -> list[_V]:
        return [places[int((i + 1) * len(places) / pairs + 0.5) - 1] for i in range(pairs)]

    return list(zip(spread(ours), spread(theirs), strict=True))
