"""Outputs and activations of one network for one batch."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, cast

from torch import Tensor, nn

from diswot.errors import NetworkError
from search_spaces import OUTPUT

_P = ParamSpec("_P")
_R = TypeVar("_R")


@dataclass(frozen=True)
class Watch(Generic[_R]):
    """Records a value at every call of some modules during a forward pass.

    Attributes:
        modules: (network) → the modules to watch.
        keep: (input, output) of a call → the value to record.
        before: whether `keep` is called before the module, with the input as both arguments;
            it must copy the input if the module may change it in place.
        of_module: whether `keep` gets the module as an additional first argument.
    """

    modules: Callable[[nn.Module], Iterable[nn.Module]]
    keep: Callable[..., _R]
    before: bool = False
    of_module: bool = False


@dataclass(frozen=True, eq=False)
class ForwardPass:
    """Outputs and activations of one forward pass.

    Attributes:
        output: output of the network (B, N).
        features: input (B, D) of the classifier, the linear layer whose output the network
            returns; `None` without a classifier.
        feature_map: last feature map (B, C, H, W) before the classifier; `None` without one.
        classifier_weight: weight (N, D) of the classifier; `None` without a classifier.
        watched: values recorded by each watch, in the order of the calls.
        unread: error message if there is no classifier, else empty.
        unmapped: error message if there is no feature map, else empty.
    """

    output: Tensor
    features: Tensor | None
    feature_map: Tensor | None
    classifier_weight: Tensor | None
    watched: Mapping[Watch[Any], list[Any]] = field(default_factory=dict)
    unread: str = ""
    unmapped: str = ""


class Activations:
    """Outputs and activations of a network for a batch of B examples.

    Args:
        forward: the forward pass.
        labels: class of each example (B,); `None` if not known.
    """

    def __init__(self, forward: ForwardPass, labels: Tensor | None = None) -> None:
        self.labels = labels
        self._given = forward
        self._memory: dict[Any, Any] = {}

    @property
    def _forward(self) -> ForwardPass:
        return self._given

    @property
    def output(self) -> Tensor:
        """Output of the network: (B, N)."""
        return self._forward.output

    @property
    def features(self) -> Tensor:
        """Input of the classifier: (B, D).

        The classifier is the linear layer whose output is returned by the network, possibly
        reshaped or in another precision.

        Raises:
            NetworkError: the output is something else, such as the mean of two layers.
        """
        return self._of_classifier(self._forward.features)

    @property
    def feature_map(self) -> Tensor:
        """Last feature map before global pooling: (B, C, H, W).

        It is the last output of a module with H·W > 1 before the classifier; the tokens of a
        transformer are arranged as a map.

        Raises:
            NetworkError: the network has no feature map.
        """
        result = self._forward.feature_map
        if result is None:
            raise NetworkError(self._forward.unmapped)
        return result

    @property
    def classifier_weight(self) -> Tensor:
        """Weight of the classifier: (N, D).

        Raises:
            NetworkError: the output is not that of a single linear layer.
        """
        return self._of_classifier(self._forward.classifier_weight)

    def _of_classifier(self, value: Tensor | None) -> Tensor:
        if value is None:
            raise NetworkError(self._forward.unread)
        return value

    @property
    def resolution(self) -> tuple[int, int]:
        """Height and width of the feature map."""
        height, width = self.feature_map.shape[2:]
        return height, width

    def watched(self, watch: Watch[_R]) -> list[_R]:
        """Return the values that `watch` recorded, in the order of the calls.

        Raises:
            NetworkError: the network has no such modules.
            KeyError: the forward pass was made without this watch; scorers declare their
                watches when they are registered.
        """
        kept = self._forward.watched[watch]
        if not kept:
            kind = watch.modules.__name__.replace("_", " ")
            raise NetworkError(
                f"no {kind} of the network can be read by hooks: write them as torch.nn modules "
                f"that are called, module(x), and return a tensor, or use another scorer"
            )
        return cast(list[_R], kept)

    def once(
        self,
        statistic: Callable[Concatenate[Any, _P], _R],
        *args: _P.args,
        **kwargs: _P.kwargs,
    ) -> _R:
        """Return `statistic(self, *args, **kwargs)`, computed once and cached.

        Scorers use this for the teacher's side of a comparison, so that it is computed once per
        repeat instead of once per candidate, and for gradients of the student that several
        scorers share.
        """
        key = (statistic, args, tuple(sorted(kwargs.items())))
        if key not in self._memory:
            self._memory[key] = statistic(self, *args, **kwargs)
        return cast(_R, self._memory[key])


setattr(Activations, OUTPUT, Activations.output)  # the alias `logits`, for classifiers
