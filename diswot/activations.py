"""What one forward pass of any network shows, read by hooks; the network is not changed."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, cast

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from diswot.errors import NetworkError, first_line

_P = ParamSpec("_P")
_R = TypeVar("_R")

SPECIAL_TOKENS = 2
"""Class and distillation tokens that may stand before those of the image."""


@dataclass(frozen=True)
class Watch(Generic[_R]):
    """Something that is kept of every call of some modules during a forward pass.

    Attributes:
        modules: (network) → the modules to watch.
        keep: (input, output) of one call → what is kept of it.
        before: whether `keep` is called before the module, with its input as both; to be
            copied where the module may work in place.
    """

    modules: Callable[[nn.Module], Iterable[nn.Module]]
    keep: Callable[[Tensor, Tensor], _R]
    before: bool = False


@dataclass(frozen=True, eq=False)
class ForwardPass:
    """What one forward pass of one network showed.

    Attributes:
        logits: (B, N) output of the classifier, the last linear layer that ran.
        features: (B, D) input of the classifier.
        feature_map: (B, C, H, W) last feature map before the classifier.
        classifier_weight: (N, D) weight of the classifier.
        watched: what each watch kept, in the order of the calls.
    """

    logits: Tensor
    features: Tensor
    feature_map: Tensor
    classifier_weight: Tensor
    watched: Mapping[Watch[Any], list[Any]] = field(default_factory=dict)


class Activations:
    """What one network shows of one batch of B images.

    Args:
        forward: the forward pass.
        labels: (B,) class of each image, where known.
    """

    def __init__(self, forward: ForwardPass, labels: Tensor | None = None) -> None:
        self.labels = labels
        self._given = forward
        self._memory: dict[Any, Any] = {}

    @property
    def _forward(self) -> ForwardPass:
        return self._given

    @property
    def logits(self) -> Tensor:
        """Output of the classifier, the last linear layer that ran: (B, N)."""
        return self._forward.logits

    @property
    def features(self) -> Tensor:
        """Input of the classifier: (B, D)."""
        return self._forward.features

    @property
    def feature_map(self) -> Tensor:
        """Last feature map before global pooling: (B, C, H, W).

        The last output of a module before the classifier with H·W > 1; of a
        transformer, its image tokens at their places.
        """
        return self._forward.feature_map

    @property
    def classifier_weight(self) -> Tensor:
        """Weight of the classifier: (N, D)."""
        return self._forward.classifier_weight

    @property
    def num_classes(self) -> int:
        """Classes that the classifier tells apart."""
        return self.logits.shape[1]

    @property
    def resolution(self) -> tuple[int, int]:
        """Height and width of the feature map."""
        height, width = self.feature_map.shape[2:]
        return height, width

    def watched(self, watch: Watch[_R]) -> list[_R]:
        """Return what `watch` kept of the forward pass, in the order of the calls.

        Raises:
            NetworkError: the network has no such modules.
            KeyError: the pass was made without this watch; a scorer names its watches
                where it is registered.
        """
        kept = self._forward.watched[watch]
        if not kept:
            kind = watch.modules.__name__.replace("_", " ")
            raise NetworkError(
                f"the network has no {kind} as modules, so they cannot be watched: "
                "write them as torch.nn modules, or use another scorer"
            )
        return cast(list[_R], kept)

    def once(
        self,
        statistic: Callable[Concatenate[Any, _P], _R],
        *args: _P.args,
        **kwargs: _P.kwargs,
    ) -> _R:
        """Return `statistic(self, …)`, computed the first time it is asked for.

        Scorers take the teacher's side of a comparison through this, so that it is
        computed once per repeat and not once per candidate, and the student's
        gradients, so that all who need them share one backward pass.
        """
        key = (statistic, args, tuple(sorted(kwargs.items())))
        if key not in self._memory:
            self._memory[key] = statistic(self, *args, **kwargs)
        return cast(_R, self._memory[key])


class ActivationReader:
    """Runs a network and tells what its forward pass shows.

    Use as a context manager; leaving it removes the hooks. Any return value will do.

    Args:
        network: the network to read.
        watches: what else to keep of its forward passes.

    Raises:
        NetworkError: the forward pass runs no linear layer, or shows no map of
            more than one position before the last one.

    Examples:
        >>> network = nn.Sequential(
        ...     nn.Conv2d(3, 8, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 10))
        >>> with ActivationReader(network) as read:
        ...     shown = read(torch.zeros(2, 3, 6, 6))
        >>> shown.feature_map.shape, shown.features.shape, shown.logits.shape
        (torch.Size([2, 8, 4, 4]), torch.Size([2, 8]), torch.Size([2, 10]))
    """

    def __init__(self, network: nn.Module, *, watches: Sequence[Watch[Any]] = ()) -> None:
        self._network = network
        self._watches = tuple(watches)
        self._handles: list[RemovableHandle] = []
        self._map: Tensor | None = None
        self._head: tuple[nn.Linear, Tensor, Tensor, Tensor | None] | None = None
        self._kept: dict[Watch[Any], list[Any]] = {}

    def __enter__(self) -> "ActivationReader":
        for module in self._network.modules():
            hook = self._see_linear if isinstance(module, nn.Linear) else self._see_module
            self._handles.append(module.register_forward_hook(hook))
        for watch in self._watches:
            for module in watch.modules(self._network):
                self._handles.append(self._watched(module, watch))
        return self

    def __exit__(self, *_: object) -> None:
        while self._handles:
            self._handles.pop().remove()
        self._map = self._head = None

    def __call__(self, images: Tensor, labels: Tensor | None = None) -> Activations:
        """Run the network on images (B, channels, height, width)."""
        return Activations(self.forward(images), labels)

    def forward(self, images: Tensor) -> ForwardPass:
        """Run the network on images (B, channels, height, width)."""
        self._map = self._head = None
        self._kept = {watch: [] for watch in self._watches}
        self._network(images)
        who = f"the network {type(self._network).__name__}"
        if self._head is None:
            raise NetworkError(
                f"{who} runs no nn.Linear, so it has no classifier to read: "
                "end it with global pooling and one nn.Linear"
            )
        classifier, features, logits, feature_map = self._head
        if feature_map is None or features.ndim != 2:
            raise NetworkError(
                f"{who} shows no feature map (B, C, H, W) with H·W > 1 before its classifier: "
                "use larger images, or pool last"
            )
        return ForwardPass(
            logits, features, as_map(feature_map), classifier.weight, watched=self._kept
        )

    def _see_module(self, _module: nn.Module, _inputs: tuple[Any, ...], output: Any) -> None:
        if is_map(output):
            self._map = output

    def _see_linear(self, module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        self._head = (cast(nn.Linear, module), inputs[0], output, self._map)

    def _watched(self, module: nn.Module, watch: Watch[Any]) -> RemovableHandle:
        keep = self._keeper(watch)
        if not watch.before:
            return module.register_forward_hook(keep, with_kwargs=True)

        def keep_input(module: nn.Module, args: Any, kwargs: Mapping[str, Any]) -> None:
            keep(module, args, kwargs, (*args, *kwargs.values()))

        return module.register_forward_pre_hook(keep_input, with_kwargs=True)

    def _keeper(self, watch: Watch[Any]) -> Callable[..., None]:
        def keep(_module: nn.Module, args: Any, kwargs: Mapping[str, Any], output: Any) -> None:
            given = _first_tensor((*args, *kwargs.values()))
            shown = _first_tensor(output if isinstance(output, tuple | list) else (output,))
            if given is not None and shown is not None:
                self._kept[watch].append(watch.keep(given, shown))

        return keep


def _first_tensor(values: Iterable[Any]) -> Tensor | None:
    return next((value for value in values if isinstance(value, Tensor)), None)


def is_map(output: object) -> bool:
    """Tell whether `output` is a feature map, or the tokens of one, of several positions."""
    if not isinstance(output, Tensor):
        return False
    return (output.ndim == 4 and output[0, 0].numel() > 1) or (
        output.ndim == 3 and output.shape[1] > 1 and output.shape[2] > 1
    )


def as_map(output: Tensor) -> Tensor:
    """Return a feature map (B, C, H, W); tokens (B, T, C) are put at their places.

    T tokens are H·W of a square image in rows, after up to two special tokens, which
    are left out; any other number of tokens is taken as T×1.

    Examples:
        >>> as_map(torch.zeros(2, 65, 192)).shape
        torch.Size([2, 192, 8, 8])
    """
    if output.ndim == 4:
        return output
    tokens = output.shape[1]
    side = math.isqrt(tokens)
    if tokens - side**2 > SPECIAL_TOKENS:
        return output.mT.unsqueeze(3)
    places: Tensor = output[:, tokens - side**2 :].mT
    return places.reshape(*places.shape[:2], side, side)


@torch.no_grad()
def trial_pass(network: nn.Module, images: Tensor, *, num_classes: int, who: str) -> None:
    """Make sure that `network` can be read: it takes `images` and tells `num_classes` apart.

    Raises:
        NetworkError: it does not; the message begins with `who`.
    """
    try:
        with ActivationReader(network.eval()) as read:
            classes = read(images).num_classes
    except NetworkError as error:
        raise NetworkError(f"{who}: {error}") from error
    except Exception as error:  # a network of the user's own can raise anything
        raise NetworkError(
            f"{who} cannot take images of shape {tuple(images.shape[1:])} "
            f"({type(error).__name__}: {first_line(error)}): choose one made for this data"
        ) from error
    if classes != num_classes:
        raise NetworkError(
            f"{who} has {classes} classes, but the data has {num_classes}: they must be equal"
        )


@contextmanager
def kept_modes(network: nn.Module) -> Iterator[None]:
    """Restore the modes of `network` and of every module in it, however they are changed."""
    modes = {module: module.training for module in network.modules()}
    try:
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode


@contextmanager
def scoring_mode(network: nn.Module) -> Iterator[nn.Module]:
    """Put `network` into the mode in which untrained networks are scored.

    Batch normalisation uses the batch (an untrained network has no statistics of
    its own), dropout is off (a score is not a lottery). Modes are restored.
    """
    with kept_modes(network):
        network.train()
        for module in network.modules():
            if isinstance(module, nn.modules.dropout._DropoutNd):
                module.eval()
        yield network
