"""Accuracy on the test split: of the network that is exported, and of its forms."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from diswot.errors import ExportError, OptionError
from diswot.export._compared import TOLERANCE
from diswot.export._process import EVALUATED_AT_ONCE
from diswot.tasks import Measure
from diswot.tasks.images import ImageData, accuracy, batches

_OTHER_DEVICE = 1e-3
"""Tolerance against an accuracy that may have been measured on another device."""


@dataclass(frozen=True)
class Reference:
    """What the network itself predicts for the test split.

    Attributes:
        labels: (n,) class of each image.
        predictions: (n,) class that the network gives it.
        margins: (n,) by how much the highest output exceeds the next, in units of the largest.
    """

    labels: Tensor
    predictions: Tensor
    margins: Tensor

    @property
    def accuracy(self) -> Measure:
        """The accuracy of the network."""
        return self.accuracy_of(self.predictions)

    def accuracy_of(self, predictions: Tensor) -> Measure:
        """Return the accuracy of any predictions for the same images."""
        return accuracy(int((predictions == self.labels).sum()), len(self.labels))

    def check(self, form: str, predictions: Tensor) -> Measure:
        """Return the accuracy of a form in single precision, which predicts the same.

        Images whose two highest outputs are as close as forms may differ can go either way.

        Raises:
            ExportError: it predicts something else.
        """
        found = self.accuracy_of(predictions)
        wrong = (predictions != self.predictions) & (self.margins > 2 * TOLERANCE)
        if wrong.any():
            raise ExportError(
                f"{form} is not the same network: its test accuracy is {found}, the "
                f"student's is {self.accuracy}, and it names another class for "
                f"{int(wrong.sum()):,} of {len(wrong):,} test images"
            )
        return found


def evaluated(network: nn.Module, data: ImageData) -> Reference:
    """Evaluate the network that is exported on the test split."""
    predictions, margins = [], []
    with torch.inference_mode():
        for batch in batches(data.test, EVALUATED_AT_ONCE):
            outputs = network(data.normalise(batch.images))
            predictions.append(outputs.argmax(1))
            margins.append(_margins(outputs))
    return Reference(data.test.labels, torch.cat(predictions), torch.cat(margins))


def check_reported(reference: Reference, metrics: Mapping[str, Any], data: ImageData) -> None:
    """Make sure that an accuracy that was reported is that of the network.

    Where training ran on another device, images whose two highest outputs are close can go
    either way; nothing is compared where it was measured on other data.

    Raises:
        ExportError: the network has another accuracy.
    """
    if "test" not in metrics:
        return
    reported, total = Measure.from_json(metrics["test"]), len(data.test)
    if (metrics.get("data"), reported.n) != (data.name, total):
        return
    close = int((reference.margins <= _OTHER_DEVICE).sum())
    differ = round(abs(reported.value - reference.accuracy.value) * total)
    if differ > close:
        raise ExportError(
            f"the student's test accuracy is {reference.accuracy}, but {reported} was reported "
            "after training: its weights have changed since, or its outputs depend on more than "
            "the image"
        )


def check_same_images(data: ImageData, images: object) -> None:
    """Make sure that a student that takes `images` can be evaluated on `data`.

    Raises:
        OptionError: it takes others.
    """
    if data.spec != images:
        raise OptionError(
            f"{data.summary()}, and other shapes, classes or normalization than the student was "
            "made for: name the data that it was trained on"
        )


def _margins(outputs: Tensor) -> Tensor:
    if outputs.shape[1] < 2:
        return torch.full((len(outputs),), torch.inf)
    first, second = outputs.topk(2, dim=1).values.unbind(1)
    return (first - second) / outputs.abs().max().clamp_min(1)
