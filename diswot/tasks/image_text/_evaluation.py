"""All measures of an image encoder: zero-shot accuracy, retrieval and few-shot accuracy."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from diswot.errors import OptionError
from diswot.networks import named
from diswot.networks.output import run
from diswot.tasks._accuracy import accuracy
from diswot.tasks._examples import SplitName
from diswot.tasks._measure import Measure
from diswot.tasks._metric import MOST_AT_ONCE
from diswot.tasks.image_text._image_text_data import ImageTextData
from diswot.tasks.image_text._losses import cosines
from diswot.tasks.image_text._metrics import ZeroShot

NEAREST = (1, 5)
"""Numbers of results among which retrieval looks for a correct one."""

GROUPS: tuple[tuple[SplitName, str], ...] = (("val", "seen"), ("test", "unseen"))
"""Splits with the kind of their classes."""

DRAWS = 10
"""Draws of the labeled images of few-shot accuracy."""


def evaluate(network: nn.Module, data: ImageTextData, *, device: str = "cpu") -> list[Measure]:
    """Return the measures of an image encoder in every language, with 95 % intervals.

    For each language, these are the zero-shot accuracies on seen classes (validation images) and
    unseen classes (test images), and the recall at 1 and 5 of test images: the share of images
    with the text of their class among the nearest texts, and the share of texts with an image
    of their class among the nearest images.

    Args:
        network: the image encoder; it is in evaluation mode afterwards.
        data: images with the text embeddings of a teacher.
        device: torch device.

    Raises:
        OptionError: the data have no text embeddings.
    """
    if not data.texts:
        raise OptionError(
            "Expected data with text embeddings, but they have no teacher: call data.with_teacher"
        )
    results = []
    embedded = {split: image_embeddings(network, data, split, device=device) for split, _ in GROUPS}
    for language in data.seen.languages:
        for split, group in GROUPS:
            batch = data.batch(split, torch.arange(data.size(split)))
            metric = ZeroShot(language)
            values = metric.values(embedded[split], batch)
            measure = metric.summarize(values, data, split)
            results.append(replace(measure, name=f"zero-shot accuracy, {group} ({language})"))
        texts, labels = data.texts["unseen"][language], data.test.labels
        for nearest in NEAREST:
            hits = recall(embedded["test"], texts, labels, nearest=nearest)
            for direction, found in zip(("image to text", "text to image"), hits, strict=True):
                name = f"recall at {nearest}, {direction} ({language})"
                results.append(replace(accuracy(int(found.sum()), len(found)), name=name))
    return results


@torch.no_grad()
def image_embeddings(
    network: nn.Module, data: ImageTextData, split: SplitName, *, device: str = "cpu"
) -> Tensor:
    """Return the embeddings (n, D) of all images of a split, on the CPU.

    Args:
        network: the image encoder; it is in evaluation mode afterwards.
        data: the images.
        split: `train`, `val` or `test`.
        device: torch device.
    """
    network.to(device).eval()
    parts = torch.split(torch.arange(data.size(split)), MOST_AT_ONCE)
    batches = (data.batch(split, part, device=device) for part in parts)
    return torch.cat([run(network, *batch.inputs, who=named(network)).cpu() for batch in batches])


def recall(images: Tensor, texts: Tensor, labels: Tensor, *, nearest: int) -> tuple[Tensor, Tensor]:
    """Return whether retrieval finds a correct result among the nearest ones.

    Args:
        images: image embeddings (n, D).
        texts: text embedding of every class (N, D).
        labels: class of every image (n,).
        nearest: number of results.

    Returns:
        For every image (n,), whether the text of its class is among the nearest texts; for
        every class with images, whether one of them is among the nearest images of its text.

    Examples:
        >>> images, texts = torch.eye(3), torch.eye(3)
        >>> [found.tolist() for found in recall(images, texts, torch.tensor([0, 1, 1]), nearest=1)]
        [[True, True, False], [True, True]]
    """
    scores = cosines(images, texts)
    to_text = scores.topk(min(nearest, len(texts)), dim=1).indices
    to_image = labels[scores.T.topk(min(nearest, len(images)), dim=1).indices]
    classes = torch.arange(len(texts))
    present = torch.isin(classes, labels)
    found = to_image.eq(classes[:, None]).any(dim=1)
    return to_text.eq(labels[:, None]).any(dim=1), found[present]


def few_shot_accuracy(
    embeddings: Tensor, labels: Tensor, *, shots: int, draws: int = DRAWS, seed: int = 0
) -> Measure:
    """Return the accuracy of classification by the mean of a few labeled embeddings.

    An image belongs to the class with the largest cosine to the mean direction of `shots` random
    images of the class. The classifier is that of prototypical networks with cosines (Snell et
    al., NeurIPS 2017, equation 1); the encoder is frozen.

    Args:
        embeddings: embeddings (n, D) of images.
        labels: class of every image (n,).
        shots: labeled images of each class; the other images are classified.
        draws: number of random draws of labeled images.
        seed: seed of the draws.

    Returns:
        The mean accuracy over the draws, with the 95 % interval of Student's t over them; it
        covers the choice of labeled images.

    Raises:
        ValueError: a class has no more than `shots` images.

    Examples:
        >>> labels = torch.tensor([0, 0, 1, 1])
        >>> few_shot_accuracy(torch.eye(2)[labels], labels, shots=1).value
        1.0
    """
    from scipy.stats import t  # imported here: few commands need it

    counts = labels.bincount()
    classes = counts.nonzero().flatten()
    fewest = int(counts[classes].min())
    if fewest <= shots:
        raise ValueError(f"Expected more than {shots} images of every class, but one has {fewest}")
    directions = F.normalize(embeddings.double(), dim=1)
    rng, shares = np.random.default_rng(seed), []
    for _ in range(draws):
        order = torch.from_numpy(rng.permutation(len(labels)))
        members = [order[labels[order] == number] for number in classes]
        means = torch.stack([directions[own[:shots]].mean(dim=0) for own in members])
        rest = torch.cat([own[shots:] for own in members])
        nearest = classes[cosines(directions[rest], means).argmax(dim=1)]
        shares.append(float(nearest.eq(labels[rest]).double().mean()))
    mean = float(np.mean(shares))
    reach = float(t.ppf(0.975, draws - 1) * np.std(shares, ddof=1) / np.sqrt(draws))
    name = f"{shots}-shot accuracy"
    return Measure(name, mean, max(0.0, mean - reach), min(1.0, mean + reach), len(rest), unit="%")
