"""The losses are those of the papers' equations, transcribed with loops."""

import math

import pytest
import torch
from torch import Tensor, nn

from diswot.errors import OptionError
from diswot.losses import TrainingBatch, parse_objective
from diswot.networks import ActivationReader
from diswot.tasks import find_task
from diswot.tasks.image_text import (
    DualEncoder,
    ImageTextData,
    embedding_contrast_loss,
    embedding_mse_loss,
    image_text_loss,
    text_ce_loss,
    text_kl_loss,
)
from diswot.testing import check_loss

TAU = 0.07
LABELS = torch.tensor([0, 1, 2, 0, 1])


def embeddings(count: int = 5, seed: int = 0) -> Tensor:
    return torch.randn(count, 6, generator=torch.Generator().manual_seed(seed)).double()


def cosine(one: Tensor, other: Tensor) -> float:
    return float((one / one.norm()) @ (other / other.norm()))


def logsumexp(values: list[float]) -> float:
    return math.log(sum(math.exp(value) for value in values))


def test_text_ce_is_the_cross_entropy_of_cosines() -> None:
    images, texts = embeddings(), embeddings(3, seed=1)
    expected = 0.0
    for image, label in zip(images, LABELS.tolist(), strict=True):
        scores = [cosine(image, text) / TAU for text in texts]
        expected += (logsumexp(scores) - scores[label]) / len(images)
    assert float(text_ce_loss(images, texts, LABELS)) == pytest.approx(expected)


def test_embedding_mse_sums_over_dimensions() -> None:
    ours, theirs = embeddings(), embeddings(seed=1)
    pairs = list(zip(ours, theirs, strict=True))
    expected = sum(2 - 2 * cosine(one, other) for one, other in pairs) / len(pairs)
    assert float(embedding_mse_loss(ours, theirs)) == pytest.approx(expected)
    mean = sum(float((one - other) @ (one - other)) for one, other in pairs) / len(pairs)
    assert float(embedding_mse_loss(ours, theirs, log=True)) == pytest.approx(
        math.log(1 + mean / 10)
    )


def test_embedding_contrast_is_the_mean_of_both_directions() -> None:
    ours, theirs = embeddings(), embeddings(seed=1)
    scores = [[cosine(one, other) / TAU for other in theirs] for one in ours]
    count = len(scores)
    rows = sum(logsumexp(scores[i]) - scores[i][i] for i in range(count)) / count
    columns = [[scores[i][j] for i in range(count)] for j in range(count)]
    others = sum(logsumexp(columns[j]) - columns[j][j] for j in range(count)) / count
    assert float(embedding_contrast_loss(ours, theirs)) == pytest.approx((rows + others) / 2)


@pytest.mark.parametrize("nearest", [2, 256])
@pytest.mark.parametrize("filtered", [False, True])
def test_text_kl_compares_the_nearest_classes_of_the_teacher(nearest: int, filtered: bool) -> None:
    ours, theirs, texts = embeddings(), embeddings(seed=1), embeddings(3, seed=2)
    total, kept = 0.0, 0
    for one, other, label in zip(ours, theirs, LABELS.tolist(), strict=True):
        teacher = [cosine(other, text) / TAU for text in texts]
        student = [cosine(one, text) / TAU for text in texts]
        order = sorted(range(3), key=lambda number: -teacher[number])
        if filtered and order[0] != label:
            continue
        top = order[:nearest]
        p = [teacher[i] - logsumexp([teacher[j] for j in top]) for i in top]
        q = [student[i] - logsumexp([student[j] for j in top]) for i in top]
        total += sum(math.exp(a) * (a - b) for a, b in zip(p, q, strict=True))
        kept += 1
    assert 0 < kept < 5 or not filtered
    found = text_kl_loss(ours, theirs, texts, LABELS if filtered else None, nearest=nearest)
    assert float(found) == pytest.approx(total / kept)


def test_text_kl_is_zero_if_the_teacher_is_always_wrong() -> None:
    images, texts = torch.eye(3, requires_grad=True), torch.eye(3)
    wrong = torch.tensor([1, 2, 0])
    loss = text_kl_loss(images, torch.eye(3), texts, wrong)
    loss.backward()  # type: ignore[no-untyped-call]
    assert float(loss.detach()) == 0.0
    assert images.grad is not None
    assert images.grad.isfinite().all()


def test_text_kl_of_all_classes_differs_from_that_of_two() -> None:
    ours, theirs, texts = embeddings(), embeddings(seed=1), embeddings(3, seed=2)
    few, many = (text_kl_loss(ours, theirs, texts, nearest=k) for k in (2, 3))
    assert not torch.isclose(few, many)
    assert torch.equal(many, text_kl_loss(ours, theirs, texts, nearest=256))


def test_pairs_of_the_same_class_are_not_negatives() -> None:
    images, texts = embeddings(), embeddings(seed=1)
    total = 0.0
    for first, second in ((images, texts), (texts, images)):
        for i in range(5):
            others = [j for j in range(5) if j == i or LABELS[j] != LABELS[i]]
            scores = {j: cosine(first[i], second[j]) / TAU for j in others}
            total += (logsumexp([*scores.values()]) - scores[i]) / 10
    assert float(image_text_loss(images, texts, LABELS)) == pytest.approx(total)


def test_no_gradient_reaches_the_teacher() -> None:
    ours, theirs, texts = (embeddings(seed=seed).requires_grad_() for seed in range(3))
    loss = (
        text_ce_loss(ours, texts, LABELS)
        + text_kl_loss(ours, theirs, texts, LABELS)
        + embedding_mse_loss(ours, theirs)
        + embedding_contrast_loss(ours, theirs)
    )
    loss.backward()  # type: ignore[no-untyped-call]
    assert ours.grad is not None
    assert theirs.grad is None
    assert texts.grad is None


def total(loss: str, data: ImageTextData, teacher: DualEncoder) -> Tensor:
    torch.manual_seed(1)
    student = nn.Sequential(nn.Flatten(), nn.Linear(192, 8)).eval()
    batch = data.batch("train", torch.arange(6))
    assert batch.labels is not None
    criterion = parse_objective(loss).build(
        student, teacher, *batch.inputs, outputs=8, train_examples=64
    )
    with ActivationReader(student) as ours, ActivationReader(teacher) as theirs:
        first, second = ours(*batch.inputs), theirs(*batch.inputs)
    known = TrainingBatch(batch.targets, batch.labels, batch.indices)
    result: Tensor = criterion(first, second, known).total
    return result


def test_the_preset_is_the_sum_of_its_terms(completed: ImageTextData, teacher: DualEncoder) -> None:
    terms = ("text_ce", "text_kl", "embedding_mse", "embedding_contrast")
    parts = torch.stack([total(term, completed, teacher) for term in terms]).sum()
    assert torch.isclose(total("vlm-ood", completed, teacher), parts)
    assert not torch.isclose(
        total("text_kl(k=2, filter=False)", completed, teacher),
        total("text_kl(k=4, filter=False)", completed, teacher),
    )


def test_losses_of_classes_need_a_teacher(data: ImageTextData, teacher: DualEncoder) -> None:
    with pytest.raises(OptionError, match="got no teacher: name one"):
        total("text_ce", data, teacher)


@pytest.mark.parametrize("loss", ["kd", "ce", "diswot"])
def test_losses_of_logits_are_refused(loss: str) -> None:
    task = find_task("image-text")
    with pytest.raises(OptionError, match="the task image-text gives"):
        parse_objective(loss).check_reads(task.reads, task=task.name)


@pytest.mark.parametrize("loss", ["embedding_mse", "embedding_contrast"])
def test_losses_follow_their_contract(loss: str) -> None:
    check_loss(loss)
