"""What one network shows of one batch."""

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
    """Something that is kept of every call of some modules during a forward pass.

    Attributes:
        modules: (network) → the modules to watch.
        keep: (input, output) of one call → what is kept of it.
        before: whether `keep` is called before the module, with its input as both; to be
            copied where the module may work in place.
        of_module: whether `keep` is called with the module first.
    """

    modules: Callable[[nn.Module], Iterable[nn.Module]]
    keep: Callable[..., _R]
    before: bool = False
    of_module: bool = False


@dataclass(frozen=True, eq=False)
class ForwardPass:
    """What one forward pass of one network showed.

    Attributes:
        output: (B, N) what calling the network returns.
        features: (B, D) input of the classifier, the linear layer whose output the network
            returns; `None` where there is none.
        feature_map: (B, C, H, W) last feature map before the classifier; `None` where there is
            none.
        classifier_weight: (N, D) weight of the classifier; `None` where there is none.
        watched: what each watch kept, in the order of the calls.
        unread: why there is no classifier, if so.
        unmapped: why there is no feature map, if so.
    """

    output: Tensor
    features: Tensor | None
    feature_map: Tensor | None
    classifier_weight: Tensor | None
    watched: Mapping[Watch[Any], list[Any]] = field(default_factory=dict)
    unread: str = ""
    unmapped: str = ""


class Activations:
    """What one network shows of one batch of B examples.

    Args:
        forward: the forward pass.
        labels: (B,) class of each example, where known.
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

        The classifier is the linear layer whose output the network returns, as it is, in
        another shape or in another precision.

        Raises:
            NetworkError: the network returns something else, such as the mean of two layers.
        """
        return self._of_classifier(self._forward.features)

    @property
    def feature_map(self) -> Tensor:
        """Last feature map before global pooling: (B, C, H, W).

        The last output of a module before the classifier with H·W > 1; of a
        transformer, its tokens at their places.

        Raises:
            NetworkError: there is none.
        """
        found = self._forward.feature_map
        if found is None:
            raise NetworkError(self._forward.unmapped)
        return found

    @property
    def classifier_weight(self) -> Tensor:
        """Weight of the classifier: (N, D).

        Raises:
            NetworkError: there is no classifier; see `features`.
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
                f"no {kind} of the network can be watched: there are none as torch.nn modules that "
                "are called, module(x), and return a tensor; write them so, or use another scorer"
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


setattr(Activations, OUTPUT, Activations.output)  # classifiers' losses and scores call it so
