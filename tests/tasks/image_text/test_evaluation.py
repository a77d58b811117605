"""Measures in every language, retrieval in both directions, and few-shot accuracy."""

import pytest
import torch

from diswot.errors import OptionError
from diswot.tasks.image_text import (
    DualEncoder,
    ImageTextData,
    evaluate,
    few_shot_accuracy,
    image_embeddings,
    recall,
)

GENERATOR = torch.Generator().manual_seed(0)
IMAGES = torch.randn(12, 5, generator=GENERATOR)
TEXTS = torch.randn(4, 5, generator=GENERATOR)
LABELS = torch.arange(12) % 4


def test_measures_are_those_of_the_metrics(completed: ImageTextData, teacher: DualEncoder) -> None:
    measures = {measure.name: measure for measure in evaluate(teacher, completed)}
    assert len(measures) == 2 * (2 + 4)
    for metric, language in zip(completed.metrics, ("en", "zh"), strict=True):
        expected = metric.measure(teacher, completed, "test")
        found = measures[f"zero-shot accuracy, unseen ({language})"]
        assert (found.value, found.low, found.n) == (expected.value, expected.low, expected.n)
        at_one, at_five = (measures[f"recall at {k}, image to text ({language})"] for k in (1, 5))
        assert at_one.value == expected.value
        assert at_five.value == 1  # of 4 classes


def test_data_without_a_teacher_are_refused(data: ImageTextData, teacher: DualEncoder) -> None:
    with pytest.raises(OptionError, match=r"no teacher: call data\.with_teacher"):
        evaluate(teacher, data)


def test_embeddings_are_those_of_the_network(data: ImageTextData, teacher: DualEncoder) -> None:
    found = image_embeddings(teacher, data, "val")
    expected = teacher(data.batch("val", torch.arange(16)).inputs[0]).detach()
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("nearest", [1, 2, 9])
def test_recall_counts_results_among_the_nearest(nearest: int) -> None:
    to_text, to_image = recall(IMAGES, TEXTS, LABELS, nearest=nearest)
    scores = torch.cosine_similarity(IMAGES[:, None], TEXTS[None], dim=2)
    for image in range(12):
        better = int((scores[image] > scores[image, LABELS[image]]).sum())
        assert bool(to_text[image]) == (better < nearest)
    for text in range(4):
        best = max(scores[image, text] for image in range(12) if LABELS[image] == text)
        assert bool(to_image[text]) == (int((scores[:, text] > best).sum()) < nearest)


def test_classes_without_images_are_left_out() -> None:
    _, to_image = recall(IMAGES[:2], TEXTS, LABELS[:2], nearest=12)
    assert to_image.tolist() == [True, True]


def test_few_shot_accuracy_is_one_for_separate_classes() -> None:
    noisy = torch.eye(4)[LABELS] + 0.05 * torch.randn(12, 4, generator=GENERATOR)
    measure = few_shot_accuracy(noisy, LABELS, shots=2)
    assert (measure.name, measure.value, measure.n) == ("2-shot accuracy", 1.0, 4)


def test_few_shot_accuracy_of_noise_is_near_chance() -> None:
    labels = torch.arange(400) % 4
    noise = torch.randn(400, 8, generator=torch.Generator().manual_seed(3))
    measure = few_shot_accuracy(noise, labels, shots=1)
    assert 0.2 < measure.value < 0.3
    assert measure.low <= measure.value <= measure.high


def test_too_few_images_for_the_shots_are_refused() -> None:
    with pytest.raises(ValueError, match="more than 3 images of every class, but one has 3"):
        few_shot_accuracy(IMAGES, LABELS, shots=3)
