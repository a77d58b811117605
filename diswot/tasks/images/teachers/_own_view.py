"""Accuracy that a teacher loses on the students' images, compared with the originals."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from diswot.networks import named
from diswot.networks.output import run
from diswot.progress import Progress, message
from diswot.tasks.images.teachers._as_trained import AsTrained
from diswot.tasks.images.teachers._predictions import Predictions

_TOGETHER = 32
_POINT = 0.01


@dataclass(frozen=True)
class ViewCheck:
    """A teacher's predictions for the same images in two resolutions.

    Attributes:
        in_use: whether each prediction is right for the student's image, resized for the
            teacher, shape (n,).
        own: whether it is right for the original, at the teacher's own size, shape (n,).
    """

    in_use: NDArray[np.bool_]
    own: NDArray[np.bool_]

    @property
    def loses(self) -> bool:
        """Whether the view in use is worse by more than a point, and significantly (sign test)."""
        from scipy.stats import binomtest

        lost, gained = (self.own & ~self.in_use).sum(), (self.in_use & ~self.own).sum()
        if self.own.mean() - self.in_use.mean() <= _POINT:
            return False
        return bool(binomtest(int(lost), int(lost + gained), alternative="greater").pvalue < 0.05)


def compare_views(name: str, predictions: Predictions, *, progress: Progress) -> ViewCheck | None:
    """Report a teacher's accuracies at its own size and on the students' images.

    Nothing is compared if the teacher was not trained on larger images than the data has, or if
    its own size is unknown.

    Args:
        name: name of the teacher, for messages.
        predictions: predictions in the view in use, with outputs in the data's class order.
        progress: called with the two accuracies, and with a warning if they differ.
    """
    network, data = predictions.network, predictions.data
    if not isinstance(network, AsTrained) or not network.enlarges:
        return None
    (height, width), (own_height, own_width) = data.shape[1:], network.crop
    sizes = f"{height}×{width} enlarged to {own_height}×{own_width}"
    if not data.originals.keys() >= predictions.places.keys():
        note = f"{name} gets images of {sizes}; without original files, its accuracy at its own "
        progress(message("teacher", f"{note}size is unknown"))
        return None
    check = _compared(network, predictions)
    own, in_use = (
        f"{float(right.mean()):.1%}".replace("%", " %") for right in (check.own, check.in_use)
    )
    progress(
        message(
            "teacher",
            f"{name} has {own} accuracy at its own size ({own_height}×{own_width}, from the "
            f"original files) and {in_use} with the students' images ({sizes}), measured on "
            f"{len(check.own)} images",
        )
    )
    if check.loses:
        points = 100 * float(check.own.mean() - check.in_use.mean())
        progress(
            message(
                "teacher",
                f"warning: {name} loses {points:.1f} points with the students' images of "
                f"{height}×{width}, which it gets in scores, and in trainings with --teacher-view "
                "student: choose a larger --image-size, or a teacher that was trained on small "
                "images",
            )
        )
    return check


@torch.no_grad()
def _compared(network: AsTrained, predictions: Predictions) -> ViewCheck:
    """Classify the originals of the same images."""
    own: list[Tensor] = []
    for name, drawn in predictions.places.items():
        originals = predictions.data.originals[name]
        for indices in torch.split(drawn, _TOGETHER):
            whole = originals.read(indices.tolist(), least=2 * max(network.crop))
            views = [network.of_original(image.to(predictions.device)) for image in whole]
            output = run(network.network, torch.cat(views), who=named(network.network))
            own.append(output.argmax(1).cpu())
    in_use, labels = torch.cat(list(predictions)), predictions.labels
    return ViewCheck((in_use == labels).numpy(), (torch.cat(own) == labels).numpy())
