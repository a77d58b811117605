"""Reading a forward pass by hooks; the network is not changed."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from diswot.activations._activations import Activations, ForwardPass, Watch
from diswot.activations._feature_maps import as_map, is_map
from diswot.errors import NetworkError, first_line


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
