"""What one forward pass of any network shows, read by hooks; the network is not changed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from diswot.errors import NetworkError, first_line

_P = ParamSpec("_P")
_R = TypeVar("_R")


@dataclass(frozen=True, eq=False)
class Activations:
    """What one network shows of one batch of B images.

    Attributes:
        logits: (B, N) output of the classifier, the last linear layer that ran.
        features: (B, D) input of the classifier.
        feature_map: (B, C, H, W) last feature map before global pooling, the last
            output of a module before the classifier with H·W > 1.
        classifier_weight: (N, D) weight of the classifier.
        labels: (B,) class of each image, where known.
    """

    logits: Tensor
    features: Tensor
    feature_map: Tensor
    classifier_weight: Tensor
    labels: Tensor | None = None
    _memory: dict[Any, Any] = field(default_factory=dict, repr=False)

    @property
    def num_classes(self) -> int:
        """Classes that the classifier tells apart."""
        return self.logits.shape[1]

    @property
    def resolution(self) -> tuple[int, int]:
        """Height and width of the feature map."""
        height, width = self.feature_map.shape[2:]
        return height, width

    def once(
        self,
        statistic: Callable[Concatenate["Activations", _P], _R],
        *args: _P.args,
        **kwargs: _P.kwargs,
    ) -> _R:
        """Return `statistic(self, …)`, computed the first time it is asked for.

        Scorers take the teacher's side of a comparison through this, so that it is
        computed once per repeat and not once per candidate.
        """
        key = (statistic, args, tuple(sorted(kwargs.items())))
        if key not in self._memory:
            self._memory[key] = statistic(self, *args, **kwargs)
        return cast(_R, self._memory[key])


class ActivationReader:
    """Runs a network and tells what its forward pass shows.

    Use as a context manager; leaving it removes the hooks. The network's return
    value is not looked at, so it may be anything.

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

    def __init__(self, network: nn.Module) -> None:
        self._network = network
        self._handles: list[RemovableHandle] = []
        self._map: Tensor | None = None
        self._head: tuple[nn.Linear, Tensor, Tensor, Tensor | None] | None = None

    def __enter__(self) -> "ActivationReader":
        for module in self._network.modules():
            hook = self._see_linear if isinstance(module, nn.Linear) else self._see_module
            self._handles.append(module.register_forward_hook(hook))
        return self

    def __exit__(self, *_: object) -> None:
        while self._handles:
            self._handles.pop().remove()
        self._map = self._head = None

    def __call__(self, images: Tensor, labels: Tensor | None = None) -> Activations:
        """Run the network on images (B, channels, height, width)."""
        self._map = self._head = None
        self._network(images)
        if self._head is None:
            raise NetworkError(
                f"the network {type(self._network).__name__} runs no nn.Linear, so it has no "
                "classifier to read: end it with global pooling and one nn.Linear"
            )
        classifier, features, logits, feature_map = self._head
        if feature_map is None or features.ndim != 2:
            raise NetworkError(
                f"the network {type(self._network).__name__} shows no feature map (B, C, H, W) "
                "with H·W > 1 before its classifier: use larger images, or pool last"
            )
        return Activations(logits, features, feature_map, classifier.weight, labels)

    def _see_module(self, _module: nn.Module, _inputs: tuple[Any, ...], output: Any) -> None:
        if isinstance(output, Tensor) and output.ndim == 4 and output[0, 0].numel() > 1:
            self._map = output

    def _see_linear(self, module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        self._head = (cast(nn.Linear, module), inputs[0], output, self._map)


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
def scoring_mode(network: nn.Module) -> Iterator[nn.Module]:
    """Put `network` into the mode in which untrained networks are scored.

    Batch normalisation uses the batch (an untrained network has no statistics of
    its own), dropout is off (a score is not a lottery). Modes are restored.
    """
    modes = {module: module.training for module in network.modules()}
    network.train()
    for module in modes:
        if isinstance(module, nn.modules.dropout._DropoutNd):
            module.eval()
    try:
        yield network
    finally:
        for module, mode in modes.items():
            module.training = mode
