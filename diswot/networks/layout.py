"""The layout of a network: shapes of its feature maps by module path, and its stages."""

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
"""Maximal number of paths that a message lists."""


@dataclass(frozen=True)
class _ModuleAt:
    """Selects the module at a dotted path, for a `Watch`."""

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
    """A place in a network whose feature map is read.

    Attributes:
        path: dotted path of the module; empty for the last feature map before the classifier.
        shape: shape (C, H, W) of the map.
        before: whether the module's input is read instead of its output.
        call: index of the module's call in a forward pass; −1 is the last.
    """

    path: str
    shape: Shape
    before: bool = False
    call: int = -1

    @property
    def watches(self) -> tuple[Watch[Tensor], ...]:
        """Watches that a forward pass needs so that the tap can be read."""
        if not self.path:
            return ()
        keep = _copied_map if self.before else _kept_map
        return (Watch(_ModuleAt(self.path), keep, before=self.before),)

    def read(self, activations: Activations) -> Tensor:
        """Return the feature map (B, C, H, W) from recorded activations."""
        for watch in self.watches:
            return activations.watched(watch)[self.call]
        return activations.feature_map


@dataclass(frozen=True)
class Layout:
    """Shapes of a network's outputs and activations, found by one trial pass.

    Attributes:
        who: name of the network in messages.
        maps: shapes (C, H, W) by dotted path, of all modules that output a feature map or
            tokens.
        blocks: paths of the blocks among them, in the order of calls.
        activated: taps before the final activation function, for modules that end in one.
        last_map: shape (C, H, W) of the last feature map; `None` if there is none.
        outputs: N, the number of outputs per example.
        width: D, the number of features of the classifier; `None` if there is no classifier.
        unread: error message if there is no classifier, else empty.
        unmapped: error message if there is no feature map, else empty.
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
        """Shape (C, H, W) of the last feature map.

        Raises:
            NetworkError: the network has no feature map.
        """
        if self.last_map is None:
            raise NetworkError(self.unmapped)
        return self.last_map

    @property
    def features(self) -> int:
        """Number of features D that the classifier reads.

        Raises:
            NetworkError: the output is not that of a single linear layer.
        """
        if self.width is None:
            raise NetworkError(self.unread)
        return self.width

    def tap(self, path: str) -> Tap:
        """Return the tap at a dotted path.

        Raises:
            NetworkError: no module with this path outputs a feature map; the message lists
                some that do.
        """
        if path in self.maps:
            return Tap(path, self.maps[path])
        near = set(difflib.get_close_matches(path, self.maps, n=NAMED, cutoff=0))
        named = [f"{name} ({_times(shape)})" for name, shape in self.maps.items() if name in near]
        more = f" and {len(self.maps) - len(near)} more" if len(self.maps) > len(near) else ""
        raise NetworkError(
            f"{self.who} has no module {path!r} that returns a feature map or tokens: "
            f"there are {', '.join(named)}{more}"
        )

    def before_activation(self, tap: Tap) -> Tap:
        """Return the tap before the activation function at the end of a module.

        It is `tap` itself if the module does not end in an activation module.
        """
        return self.activated.get(tap.path, tap)

    def last(self) -> list[Tap]:
        """Return the last feature map before the classifier, as the only tap."""
        return [Tap("", self.feature_map)]

    def stages(self) -> list[Tap]:
        """Return the end of every [stage][diswot.networks.taps.stages].

        It is the last block, or the outermost module that ends with it and has no other blocks.
        """
        return [last for _, last in self.flows()]

    def middle(self) -> list[Tap]:
        """Return the end of the middle stage, as the only tap."""
        result = self.stages()
        return [result[len(result) // 2]]

    def flows(self) -> list[tuple[Tap, Tap]]:
        """Return, for every stage, its first block and its end.

        Raises:
            NetworkError: no block outputs a feature map.
        """
        if not self.blocks:
            raise NetworkError(
                f"no block of {self.who} returns a feature map (B, C, H, W) or tokens (B, T, C): "
                "it has no stages to compare: write its blocks as modules, or use another loss"
            )
        taps = [Tap(path, self.maps[path]) for path in self.blocks]
        runs = in_stages(taps, lambda tap: tap.shape[1:])
        ends = [self._outermost(run) for run in runs]
        return [(run[0] if len(run) > 1 else end, end) for run, end in zip(runs, ends, strict=True)]

    def _outermost(self, stage: Sequence[Tap]) -> Tap:
        """Return the outermost module that ends with a stage and has no block of another one.

        Its output can include more than that of the last block, such as a shortcut.
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
    """Find the layout of a network by one forward pass in evaluation mode.

    Args:
        network: the network, which is not changed.
        *inputs: example inputs, each (B, …).
        who: name of the network in messages.

    Raises:
        NetworkError: its output is not (B, N).

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
    results = {names[block] for block in blocks(bare)}
    maps, last = notes.maps, activations.feature_map
    return Layout(
        who,
        maps=maps,
        blocks=tuple(path for path in maps if path in results and math.prod(maps[path][1:]) > 1),
        activated=notes.activated,
        last_map=None if last is None else tuple(last.shape[1:]),
        outputs=activations.output.shape[1],
        width=None if activations.features is None else activations.features.shape[1],
        unread=activations.unread,
        unmapped=activations.unmapped,
    )


class _Notes:
    """Collects shapes of all modules' outputs during a forward pass, by dotted path.

    Attributes:
        maps: shapes (C, H, W) of modules that output a feature map or tokens.
        activated: taps before the final activation function, for modules that end in one.
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
        """Watches of all modules, which collect the shapes."""
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
        # A module that returns the very tensor of an activation function ends in it.
        for tap, activation in self._made:
            if output is activation:
                self.activated[path] = tap


def paired(ours: Sequence[_T], theirs: Sequence[_U]) -> list[tuple[_T, _U]]:
    """Pair places of two networks by relative depth.

    Every place of the network with fewer places gets a partner; the last ones are always paired.

    Examples:
        >>> paired("abc", "ABCD"), paired("abc", "C")
        ([('a', 'A'), ('b', 'C'), ('c', 'D')], [('c', 'C')])
    """
    pairs = min(len(ours), len(theirs))

    def spread(places: Sequence[_V]) -> list[_V]:
        return [places[int((i + 1) * len(places) / pairs + 0.5) - 1] for i in range(pairs)]

    return list(zip(spread(ours), spread(theirs), strict=True))
