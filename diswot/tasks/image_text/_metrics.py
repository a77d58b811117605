"""Metrics of image-text networks: zero-shot accuracy, and retrieval of captions."""

import torch
from torch import Tensor

from diswot.tasks._accuracy import accuracy, paired_difference
from diswot.tasks._batch import Batch
from diswot.tasks._difference import Difference
from diswot.tasks._examples import Examples, SplitName
from diswot.tasks._measure import Measure
from diswot.tasks._metric import Metric
from diswot.tasks.image_text._losses import cosines

TIMES_CHANCE = 3
"""A network is near chance if the interval of its accuracy reaches this many times chance."""


class _Accuracy(Metric):
    """Base class of metrics that are 1 for correct examples, else 0."""

    def difference(
        self, one: Tensor, other: Tensor, _dataset: Examples, _split: SplitName
    ) -> Difference:
        """Return the paired difference of two accuracies, see `paired_difference`."""
        return paired_difference(one, other)

    def summarize(self, values: Tensor, _dataset: Examples, _split: SplitName) -> Measure:
        """Return the accuracy with its 95 % Wilson interval."""
        found = accuracy(int(values.sum()), len(values))
        return Measure(self.name, found.value, found.low, found.high, found.n, unit="%")


class ZeroShot(_Accuracy):
    """Zero-shot accuracy: share of images closest to the text embedding of their class.

    All classes have equally many images in the built-in data, so that it is the mean over the
    classes. On the validation split the classes are seen ones, on the test split unseen ones.

    Args:
        language: language of the class names.
        first: whether this is the language of training, whose name is left out of the metric's.
    """

    def __init__(self, language: str, *, first: bool = True) -> None:
        self.language = language
        self.name = "zero-shot accuracy" + ("" if first else f" ({language})")

    def values(self, output: Tensor, batch: Batch) -> Tensor:
        """Return 1 for each correctly classified image, else 0: (B,).

        Args:
            output: image embeddings (B, D).
            batch: images whose targets have text embeddings.
        """
        texts = batch.targets["texts"][self.language]
        nearest = cosines(output, texts).argmax(dim=1)
        return nearest.eq(batch.targets["labels"]).double()

    def same(self, output: Tensor, reference: Tensor, *, tolerance: float) -> Tensor:
        """Return whether two embeddings of each image have the same direction: booleans (B,)."""
        ours, theirs = (torch.nn.functional.normalize(item, dim=1) for item in (output, reference))
        return (ours - theirs).abs().amax(dim=1) <= 10 * tolerance

    def is_near_chance(self, values: Tensor, dataset: Examples, split: SplitName) -> bool:
        """Return whether the interval reaches three times the accuracy of guessing."""
        classes: int = dataset.signature.facts["classes"]["unseen" if split == "test" else "seen"]
        return self.summarize(values, dataset, split).low < TIMES_CHANCE / classes


class Retrieval(_Accuracy):
    """Share of images whose closest caption in the batch describes their class (recall at 1)."""

    name = "retrieval in batches"

    def values(self, output: Tensor, batch: Batch) -> Tensor:
        """Return 1 for each image whose closest caption belongs to its class: (B,).

        Args:
            output: image and text embeddings side by side (B, 2·D).
            batch: the pairs.
        """
        images, texts = output.chunk(2, dim=1)
        labels: Tensor = batch.targets["labels"]
        return labels[cosines(images, texts).argmax(dim=1)].eq(labels).double()

    def is_near_chance(self, values: Tensor, dataset: Examples, split: SplitName) -> bool:
        """Return whether the interval reaches three times the accuracy of guessing."""
        batch = min(dataset.size(split), 250)
        return self.summarize(values, dataset, split).low < TIMES_CHANCE / batch
