"""Students that end with the frozen linear classifier of their teacher."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from diswot.errors import NetworkError
from diswot.networks._classifier import Linear, LinearCall, classifier_call, linear_call
from diswot.networks._feature_maps import is_map
from diswot.networks._modes import kept_modes
from diswot.networks._wrapped import named
from diswot.networks.output import run
from search_spaces import Signature

TOLERANCE = 1e-3
"""Largest difference between features and pooled map, relative to the largest feature."""


@dataclass(frozen=True)
class SharedClassifier:
    """Shape of a teacher's linear classifier and of the feature map that it pools.

    Attributes:
        channels: channels of the map, the number of inputs of the classifier.
        height: height of the map.
        width: width of the map.
        outputs: outputs of the classifier.
        bias: whether it has a bias.
    """

    channels: int
    height: int
    width: int
    outputs: int
    bias: bool

    def to_json(self) -> dict[str, Any]:
        """Return the shape as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "SharedClassifier":
        """Make a shape from the values of `to_json`.

        Raises:
            KeyError: a value is missing.
            TypeError: a value has the wrong type.
            ValueError: a size is below 1.
        """
        sizes = {name: values[name] for name in ("channels", "height", "width", "outputs")}
        if (
            not all(type(size) is int for size in sizes.values())
            or type(values["bias"]) is not bool
        ):
            raise TypeError(f"{dict(values)} is not the shape of a classifier")
        if min(sizes.values()) < 1:
            raise ValueError(f"{sizes} are not positive sizes")
        return cls(**sizes, bias=values["bias"])


class Projected(nn.Sequential):
    """A module of a student whose feature map is projected to the teacher's width and size.

    The first child is the module, the second the projector.
    """


def projector(channels: int, classifier: SharedClassifier, *, size: tuple[int, int]) -> nn.Module:
    """Return the projector of a student's last feature map.

    Three convolutions (1×1, 3×3, 1×1) with batch normalization and ReLU, with half of the
    teacher's channels between them. A larger map is average-pooled to the teacher's size first.

    Source: Chen et al., "Knowledge Distillation with the Reused Teacher Classifier" (SimKD), CVPR
    2022, figure 3, with reduction factor 2.

    Args:
        channels: channels of the student's map.
        classifier: shape of the teacher's classifier and map.
        size: height and width of the student's map.
    """
    hidden, height, width = max(1, classifier.channels // 2), classifier.height, classifier.width
    pool = size[0] > height or size[1] > width
    least = min(size[0], height), min(size[1], width)
    return nn.Sequential(
        *([nn.AdaptiveAvgPool2d(least)] if pool else []),
        *_convolution(channels, hidden, 1),
        *_convolution(hidden, hidden, 3),
        *_convolution(hidden, classifier.channels, 1),
    )


def _convolution(channels: int, out: int, kernel: int) -> tuple[nn.Module, ...]:
    conv = nn.Conv2d(channels, out, kernel, padding=kernel // 2, bias=False)
    return conv, nn.BatchNorm2d(out), nn.ReLU(inplace=True)


def read_classifier(
    teacher: nn.Module, *inputs: Tensor
) -> tuple[SharedClassifier, dict[str, Tensor]]:
    """Return shape and weights of a teacher's classifier.

    Args:
        teacher: a network whose output is a linear layer of its average-pooled last feature map.
        *inputs: example inputs, each (B, …), on the teacher's device.

    Returns:
        The shape, and the tensors `weight` (N, C) and, if there is one, `bias` (N,), on the CPU.

    Raises:
        NetworkError: the output is not that of a linear layer, or its input is not the average
            of a feature map.
    """
    end = _end_of(teacher, inputs, who="the teacher")
    pooled = end.maps.mean((2, 3))
    if pooled.shape != end.features.shape or _differs(pooled, end.features):
        raise NetworkError(
            "the teacher's classifier does not read the average of its last feature map, of shape "
            f"{tuple(end.maps.shape[1:])}, so students cannot share it"
        )
    weight, bias = end.layer.weight.detach().flatten(1), end.layer.bias
    tensors = {"weight": weight} if bias is None else {"weight": weight, "bias": bias.detach()}
    channels, height, width = end.maps.shape[1:]
    shape = SharedClassifier(channels, height, width, len(weight), bias is not None)
    return shape, {name: tensor.clone().cpu() for name, tensor in tensors.items()}


def share_classifier(
    student: nn.Module,
    classifier: SharedClassifier,
    signature: Signature,
    *,
    weights: Mapping[str, Tensor] | None = None,
) -> nn.Module:
    """Give a student a projector and the frozen classifier of its teacher, in place.

    The projector follows the module that returns the student's last feature map. The student's
    pooling stays, and its linear classifier is replaced.

    Args:
        student: a network that pools its last feature map and classifies the result.
        classifier: shape of the teacher's classifier.
        signature: shapes of the student's inputs and outputs.
        weights: tensors of the classifier; by default they are random, to be loaded later.

    Returns:
        The same student.

    Raises:
        NetworkError: the student has no linear classifier, or more than a pooling between its
            last feature map and the classifier.
    """
    device = next(student.parameters()).device
    drawn = torch.Generator().manual_seed(0)
    inputs = signature.example(2, device=str(device), generator=drawn)
    end = _end_of(student, inputs, who="the student")
    channels, height, width = end.maps.shape[1:]
    size = classifier.channels, classifier.outputs
    head: nn.Linear | nn.Conv2d = nn.Linear(*size, bias=classifier.bias)
    if isinstance(end.layer, nn.Conv2d):
        head = nn.Conv2d(*size, 1, bias=classifier.bias)
    for name, tensor in (weights or {}).items():
        parameter: Tensor = getattr(head, name)
        parameter.data.copy_(tensor.view(parameter.shape))
    projection = projector(channels, classifier, size=(height, width))
    _replace(student, end.layer, head.requires_grad_(False).to(device))
    _replace(student, end.body, Projected(end.body, projection.to(device)))
    try:
        with kept_modes(student), torch.no_grad():
            run(student.eval(), *inputs, who="the student")
    except NetworkError as error:
        raise NetworkError(
            f"{named(student)} does more than pooling between its last feature map and its "
            "classifier, so it cannot have the classifier of the teacher: use another space, or "
            "leave the students their own classifiers (--no-share-classifier)"
        ) from error
    return student


@dataclass(frozen=True, eq=False)
class _End:
    """The end of a network: its last feature map and its classifier.

    Attributes:
        body: the outermost module that returns the map.
        layer: the classifier.
        maps: the map (B, C, H, W).
        features: the input of the classifier (B, D).
    """

    body: nn.Module
    layer: Linear
    maps: Tensor
    features: Tensor


def _end_of(network: nn.Module, inputs: Sequence[Tensor], *, who: str) -> _End:
    """Run a network and return its end.

    Raises:
        NetworkError: it has no linear classifier, or no feature map before it.
    """
    maps: list[tuple[nn.Module, Tensor]] = []
    calls: list[tuple[LinearCall, int]] = []

    def see(module: nn.Module, args: Any, output: Any) -> None:
        if isinstance(module, Linear) and args:
            call = linear_call(module, args[0], output, None)
            if call is not None:
                calls.append((call, len(maps)))
                return
        if is_map(output) and output.ndim == 4:
            maps.append((module, output))

    with ExitStack() as hooks, kept_modes(network), torch.no_grad():
        for module in network.modules():
            hooks.callback(module.register_forward_hook(see).remove)
        returned = run(network.eval(), *inputs, who=who)
    last = classifier_call([call for call, _ in calls], returned)
    before = next((count for call, count in calls if call is last), 0)
    if last is None or not before:
        what = "no linear layer whose output it returns" if last is None else "no feature map"
        raise NetworkError(
            f"{who} has {what}, so the classifier of the teacher cannot be shared: leave the "
            "students their own classifiers (--no-share-classifier)"
        )
    body, result = maps[before - 1]
    if sum(module is body for module, _ in maps) > 1:
        raise NetworkError(
            f"{who} uses the module of its last feature map, a {type(body).__name__}, several "
            "times, so nothing can be inserted behind it: give it a module of its own"
        )
    return _End(body, last.layer, result, last.features)


def _differs(one: Tensor, other: Tensor) -> bool:
    return bool((one - other).abs().max() > TOLERANCE * other.abs().max())


def _replace(network: nn.Module, module: nn.Module, new: nn.Module) -> None:
    """Replace a module of a network wherever it is registered."""
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if child is module:
                setattr(parent, name, new)
