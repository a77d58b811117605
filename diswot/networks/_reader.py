"""Read a forward pass with hooks, without changing the network."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from diswot.errors import ForwardError, NetworkError
from diswot.networks._activations import Activations, ForwardPass, Watch
from diswot.networks._classifier import Linear, LinearCall, classifier_call, linear_call
from diswot.networks._feature_maps import as_map, is_map
from diswot.networks._wrapped import named, path_of
from diswot.networks.output import first_tensor, run


class ActivationReader:
    """Runs a network and returns its output and activations.

    Use it as a context manager, which removes the hooks at the end. What counts as the output
    is described at [`output_of`][diswot.networks.output.output_of].

    Args:
        network: the network to read.
        watches: further activations to record.
        who: name of the network in messages; by default its class.
        only_watched: whether to record the watched activations and the output alone, which is
            faster: no classifier and no feature map are found.

    Raises:
        NetworkError: the forward pass raises an exception, or the output is not (B, N).

    Examples:
        >>> import torch
        >>> network = nn.Sequential(
        ...     nn.Conv2d(3, 8, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 10))
        >>> with ActivationReader(network) as read:
        ...     activations = read(torch.zeros(2, 3, 6, 6))
        >>> activations.feature_map.shape, activations.features.shape, activations.output.shape
        (torch.Size([2, 8, 4, 4]), torch.Size([2, 8]), torch.Size([2, 10]))
    """

    def __init__(
        self,
        network: nn.Module,
        *,
        watches: Sequence[Watch[Any]] = (),
        who: str = "",
        only_watched: bool = False,
    ) -> None:
        self._network = network
        self._only_watched = only_watched
        self._watches = tuple(watches)
        self._who = who or named(network)
        self._handles: list[RemovableHandle] = []
        self._map: Tensor | None = None
        self._linear: list[LinearCall] = []
        self._last: nn.Module | None = None
        self._kept: dict[Watch[Any], list[Any]] = {}
        self._own_error: Exception | None = None

    def __enter__(self) -> "ActivationReader":
        for module in () if self._only_watched else self._network.modules():
            hook = self._see_linear if isinstance(module, Linear) else self._see_module
            self._handles.append(module.register_forward_hook(hook, with_kwargs=True))
        for watch in self._watches:
            for module in watch.modules(self._network):
                self._handles.append(self._watched(module, watch))
        return self

    def __exit__(self, *_: object) -> None:
        while self._handles:
            self._handles.pop().remove()
        self._forget()

    def __call__(self, *inputs: Tensor, labels: Tensor | None = None) -> Activations:
        """Run the network on inputs, each (B, …), with optional labels (B,)."""
        return Activations(self.forward(*inputs), labels)

    def forward(self, *inputs: Tensor) -> ForwardPass:
        """Run the network on inputs, each (B, …)."""
        self._forget()
        output = self._output(inputs)
        if output.ndim != 2 or len(output) != len(inputs[0]):
            raise NetworkError(
                f"{self._who} returns an output of shape {tuple(output.shape)} for "
                f"{len(inputs[0])} examples: expected (B, N), the same N numbers for each example"
            )
        classifier = classifier_call(self._linear, output)
        feature_map = self._map if classifier is None else classifier.feature_map
        return ForwardPass(
            output,
            None if classifier is None else classifier.features,
            None if feature_map is None else as_map(feature_map),
            None if classifier is None else classifier.weight,
            watched=self._kept,
            unread=self._without_classifier() if classifier is None else "",
            unmapped=self._without_map() if feature_map is None else "",
        )

    def _output(self, inputs: Sequence[Tensor]) -> Tensor:
        try:
            return run(self._network, *inputs, who=self._who)
        except ForwardError as error:
            if self._own_error is not None and error.__cause__ is self._own_error:
                raise self._own_error from None
            raise

    def _forget(self) -> None:
        self._map = self._last = self._own_error = None
        self._linear = []
        self._kept = {watch: [] for watch in self._watches}

    def _without_map(self) -> str:
        return (
            f"{self._who} has no feature map (B, C, H, W) with H·W > 1 before its classifier: "
            "use larger inputs, or pool last"
        )

    def _without_classifier(self) -> str:
        last = "it runs none"
        if self._last is not None:
            last = f"the last one that ran is {path_of(self._last, self._network)!r}"
        return (
            f"{self._who} does not return the output of one linear layer ({last}), so it has no "
            f"classifier with features and weights to read: return the output of "
            "one nn.Linear, or use scores and losses that need no classifier"
        )

    def _see_module(self, _module: nn.Module, _args: Any, _kwargs: Any, output: Any) -> None:
        if is_map(output):
            self._map = output

    def _see_linear(self, module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        layer = cast(Linear, module)
        if isinstance(layer, nn.Conv2d) and is_map(output):
            self._map = output
            return
        given = args[0] if args else next(iter(kwargs.values()), None)
        call = linear_call(layer, given, output, self._map)
        if call is not None:
            self._linear.append(call)
        if call is not None or isinstance(layer, nn.Linear):
            self._last = layer

    def _watched(self, module: nn.Module, watch: Watch[Any]) -> RemovableHandle:
        keep = self._keeper(watch)
        if not watch.before:
            return module.register_forward_hook(keep, with_kwargs=True)

        def keep_input(module: nn.Module, args: Any, kwargs: Mapping[str, Any]) -> None:
            keep(module, args, kwargs, (*args, *kwargs.values()))

        return module.register_forward_pre_hook(keep_input, with_kwargs=True)

    def _keeper(self, watch: Watch[Any]) -> Callable[..., None]:
        def keep(module: nn.Module, args: Any, kwargs: Mapping[str, Any], output: Any) -> None:
            given, result = first_tensor((*args, *kwargs.values())), first_tensor(output)
            if given is None or result is None:
                return
            try:
                first = (module,) if watch.of_module else ()
                self._kept[watch].append(watch.keep(*first, given, result))
            except Exception as error:  # an error of the watch, not of the network
                self._own_error = error
                raise

        return keep
