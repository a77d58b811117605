"""Predictions of exported networks for multi-label images."""

from typing import Any

import numpy as np

from diswot.tasks._prediction import Array, Example
from diswot.tasks.images._prediction import ImagePrediction

THRESHOLD = 0.5
"""Probability from which a label is predicted by default."""


class MultiLabelPrediction(ImagePrediction):
    """Reads image files as in training, and returns all labels from a probability."""

    threshold: float | None = THRESHOLD

    def answer(self, output: Array, _example: Example) -> dict[str, Any]:
        """Return the labels whose probability reaches the threshold, most likely first."""
        shares = probabilities(output)
        threshold = THRESHOLD if self.threshold is None else self.threshold
        order = [n for n in np.argsort(-shares, kind="stable") if shares[n] >= threshold]
        names = self.config.get("classes")
        return {
            "labels": [names[number] if names else int(number) for number in order],
            "probabilities": [round(float(shares[number]), 6) for number in order],
        }


def probabilities(output: Array) -> Array:
    """Return the sigmoid of logits, computed without overflow.

    Examples:
        >>> probabilities(np.array([0.0, -1000.0])).tolist()
        [0.5, 0.0]
    """
    values = output.astype(np.float64)
    small = np.exp(-np.abs(values))
    result: Array = np.where(values >= 0, 1.0, small) / (1 + small)
    return result
