"""Losses that only training uses: each against its equation in NumPy, and its limits."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from diswot.losses import kd_loss
from diswot.losses.ab import ab_loss
from diswot.losses.crd import crd_loss, others_of_another_class
from diswot.losses.dist import dist_loss
from diswot.losses.dkd import dkd_loss
from diswot.losses.ft import ft_loss
from diswot.losses.logit_standardization import standardized_kd_loss
from diswot.losses.reviewkd import reviewkd_loss
from diswot.losses.vid import vid_loss
from tests.losses.test_losses import IMAGES, Array, logits, softmax, values

LABELS = torch.tensor([0, 4, 2, 2, 1, 3])
VARIANCE = torch.tensor([0.5, 1.0, 2.0, 3.0])


def maps(seed: int) -> Tensor:
    return values(seed, 4, 6, 6)


@dataclass(frozen=True)
class Case:
    """A loss, its inputs, its equation, and the best student for a teacher."""

    loss: Callable[[Any, Any], Tensor]
    given: Callable[[int], Tensor]
    equation: Callable[[Array, Array], float]
    best: Callable[[Tensor], Tensor] = Tensor.clone
    minimum: float = 0.0


def divergence(p: Array, q: Array) -> float:
    return float((p * np.log(p / q)).sum())


def dkd(student: Array, teacher: Array) -> float:
    total = 0.0
    for s, t, label in zip(student, teacher, LABELS.tolist(), strict=True):
        q, p = softmax(s / 4), softmax(t / 4)
        binary = [np.array([each[label], 1 - each[label]]) for each in (p, q)]
        others = [np.delete(each, label) / (1 - each[label]) for each in (p, q)]
        total += divergence(*binary) + 8 * divergence(*others)
    return 16 * total / IMAGES


def dist(student: Array, teacher: Array) -> float:
    ours, theirs = (np.array([softmax(row) for row in given]) for given in (student, teacher))

    def distance(a: Array, b: Array) -> float:
        return float(np.mean([1 - np.corrcoef(x, y)[0, 1] for x, y in zip(a, b, strict=True)]))

    return distance(ours, theirs) + distance(ours.T, theirs.T)


def standardized_kd(student: Array, teacher: Array) -> float:
    total = 0.0
    for s, t in zip(student, teacher, strict=True):
        q, p = (softmax((row - row.mean()) / row.std() / 2) for row in (s, t))
        total += divergence(p, q)
    return 4 * total / IMAGES


def vid(mean: Array, teacher: Array) -> float:
    total = 0.0
    for s, t in zip(mean, teacher, strict=True):
        for channel, variance in enumerate(VARIANCE.tolist()):
            error = (s[channel] - t[channel]) ** 2
            total += (math.log(variance) / 2 + error / (2 * variance)).sum()
    return total / mean.size


def ab(student: Array, teacher: Array) -> float:
    total = 0.0
    for s, t in zip(student.ravel(), teacher.ravel(), strict=True):
        total += max(0.0, 1 - s) ** 2 if t > 0 else max(0.0, 1 + s) ** 2
    return total / IMAGES


def ft(student: Array, teacher: Array) -> float:
    pairs = zip(student, teacher, strict=True)
    apart = [s / math.sqrt((s**2).sum()) - t / math.sqrt((t**2).sum()) for s, t in pairs]
    return float(np.mean(np.abs(apart)))


def reviewkd(student: Array, teacher: Array) -> float:
    def pooled(given: Array, size: int) -> Array:
        edges = [(i * 6 // size, -(-(i + 1) * 6 // size)) for i in range(size)]
        cells = [given[..., a:b, c:d].mean(axis=(2, 3)) for a, b in edges for c, d in edges]
        return np.array(cells)

    sizes, weights = (6, 4, 2, 1), (1, 0.5, 0.25, 0.125)
    squares = [((pooled(student, n) - pooled(teacher, n)) ** 2).mean() for n in sizes]
    return float(np.dot(weights, squares) / sum(weights))


CASES = {
    "dkd": Case(partial(dkd_loss, labels=LABELS), logits, dkd),
    "dist": Case(dist_loss, logits, dist),
    "kd_std": Case(standardized_kd_loss, logits, standardized_kd),
    "vid": Case(
        lambda student, teacher: vid_loss(student, VARIANCE, teacher),
        maps,
        vid,
        minimum=float(VARIANCE.log().mean()) / 2,
    ),
    "ab": Case(ab_loss, maps, ab, best=lambda teacher: torch.where(teacher > 0, 1.5, -1.5)),
    "ft": Case(ft_loss, maps, ft),
    "reviewkd": Case(reviewkd_loss, maps, reviewkd),
}

each_loss = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


def backward(loss: Tensor) -> None:
    loss.backward()  # type: ignore[no-untyped-call]


@each_loss
def test_the_value_equals_the_equation(case: Case) -> None:
    student, teacher = case.given(1), case.given(2)
    expected = case.equation(student.double().numpy(), teacher.double().numpy())
    assert expected > 1e-4
    assert float(case.loss(student, teacher)) == pytest.approx(expected, rel=1e-4)


@each_loss
def test_the_best_student_has_the_minimal_loss(case: Case) -> None:
    teacher = case.given(2)
    assert float(case.loss(case.best(teacher), teacher)) == pytest.approx(case.minimum, abs=1e-5)
    losses = [float(case.loss(case.given(seed), teacher)) for seed in range(3, 9)]
    assert min(losses) > case.minimum + 1e-4


@each_loss
def test_only_the_student_gets_gradients(case: Case) -> None:
    student, teacher = case.given(1).requires_grad_(), case.given(2).requires_grad_()
    backward(case.loss(student, teacher))
    assert student.grad is not None
    assert student.grad.isfinite().all()
    assert student.grad.abs().sum() > 0
    assert teacher.grad is None


@each_loss
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_equals_fp32_of_the_same_values(case: Case, dtype: torch.dtype) -> None:
    student, teacher = (300 * case.given(1)).to(dtype), (300 * case.given(2)).to(dtype)
    loss = case.loss(student, teacher)
    assert loss.isfinite()
    torch.testing.assert_close(loss, case.loss(student.float(), teacher.float()))


@each_loss
def test_a_constant_student_has_finite_gradients(case: Case) -> None:
    student = torch.zeros_like(case.given(1), requires_grad=True)
    backward(case.loss(student, case.given(2)))
    assert student.grad is not None
    assert student.grad.isfinite().all()


def test_dkd_weighted_by_the_teachers_other_classes_is_kd() -> None:
    student, teacher, labels = logits(1)[:1], logits(2)[:1], LABELS[:1]
    beta = 1 - float(F.softmax(teacher / 4, dim=1)[0, labels[0]])
    decoupled = dkd_loss(student, teacher, labels, alpha=1, beta=beta)
    torch.testing.assert_close(decoupled, kd_loss(student, teacher))


def test_dkd_of_two_classes_has_only_the_target_class_term() -> None:
    student, teacher, labels = values(1, 2), values(2, 2), LABELS % 2
    assert float(dkd_loss(student, teacher, labels, alpha=0)) == 0
    torch.testing.assert_close(dkd_loss(student, teacher, labels), kd_loss(student, teacher))


def test_dkd_is_finite_for_a_fully_confident_teacher() -> None:
    teacher = 1000 * F.one_hot(LABELS, 5).float()
    student = logits(1).requires_grad_()
    backward(dkd_loss(student, teacher, LABELS))
    assert student.grad is not None
    assert student.grad.isfinite().all()


def test_dist_weights_inter_and_intra_class_relations() -> None:
    student, teacher = logits(1), logits(2)
    parts = [dist_loss(student, teacher, beta=b, gamma=g) for b, g in ((1, 0), (0, 1))]
    both = dist_loss(student, teacher, beta=2, gamma=3)
    torch.testing.assert_close(both, 2 * parts[0] + 3 * parts[1])


def test_standardized_kd_ignores_the_scale_of_the_logits() -> None:
    student, teacher = logits(1), logits(2)
    scale, shift = torch.rand(IMAGES, 1) + 0.5, torch.randn(IMAGES, 1)
    loss = standardized_kd_loss(scale * student + shift, teacher)
    torch.testing.assert_close(loss, standardized_kd_loss(student, teacher))


def test_vid_is_lowest_where_variance_is_mean_squared_error() -> None:
    mean, teacher = maps(1), maps(2)
    error = (mean - teacher).square().mean(dim=(0, 2, 3))
    lowest = float(vid_loss(mean, error, teacher))
    assert lowest == pytest.approx(float(error.log().mean() + 1) / 2, rel=1e-5)
    assert all(float(vid_loss(mean, error * by, teacher)) > lowest for by in (0.9, 1.1))


def test_ab_ignores_neurons_beyond_the_margin() -> None:
    student = torch.tensor([[2.0, -2.0, 0.5, -0.5]], requires_grad=True)
    backward(ab_loss(student, torch.tensor([[0.1, -0.1, 0.1, -0.1]])))
    assert student.grad is not None
    assert student.grad.tolist() == [[0, 0, -1, 1]]


def test_reviewkd_compares_maps_that_are_small_or_not_square() -> None:
    single, column = values(1, 4, 1, 1), values(1, 4, 9, 1)
    torch.testing.assert_close(reviewkd_loss(2 * single, single), single.square().mean())
    torch.testing.assert_close(reviewkd_loss(2 * column, column), column.square().mean())


def test_crd_equals_the_nce_loss_of_the_critic() -> None:
    cosines = torch.linspace(-1, 1, IMAGES * 4).reshape(4, IMAGES).T
    total = 0.0
    for own, *others in cosines.double().tolist():

        def critic(cosine: float) -> float:
            evidence = math.exp(cosine / 0.07) / 5
            return evidence / (evidence + 3 / 50)

        total -= math.log(critic(own)) + sum(math.log(1 - critic(other)) for other in others)
    loss = crd_loss(cosines, images=50, log_normalizer=math.log(5))
    assert float(loss) == pytest.approx(total / IMAGES, rel=1e-4)


def test_crd_falls_with_positive_and_rises_with_negative_cosines() -> None:
    cosines = torch.zeros(IMAGES, 5, requires_grad=True)
    backward(crd_loss(cosines, images=50))
    assert cosines.grad is not None
    assert (cosines.grad[:, 0] < 0).all()
    assert (cosines.grad[:, 1:] > 0).all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_crd_in_half_precision_equals_fp32(dtype: torch.dtype) -> None:
    cosines = torch.linspace(-1, 1, 40).reshape(10, 4).to(dtype)
    loss = crd_loss(cosines, images=50_000)
    torch.testing.assert_close(loss, crd_loss(cosines.float(), images=50_000))


def test_negatives_are_drawn_evenly_from_other_classes() -> None:
    torch.manual_seed(0)
    known = torch.tensor([2, 0, 1, -1, 2, 1, 0])
    drawn = others_of_another_class(torch.tensor([0, 2, 1]), known, 3000)
    assert drawn.shape == (3, 3000)
    for label, places in zip((0, 2, 1), drawn, strict=True):
        found, counts = torch.unique(places, return_counts=True)
        assert found.tolist() == [place for place in range(7) if known[place] != label]
        assert (counts.float() / 3000 - 1 / len(found)).abs().max() < 0.03


def test_the_same_seed_draws_the_same_negatives() -> None:
    def draw() -> Tensor:
        torch.manual_seed(3)
        return others_of_another_class(torch.tensor([0, 1]), torch.arange(50) % 3, 8)

    assert draw().equal(draw())


def test_with_a_single_class_any_image_is_a_negative() -> None:
    drawn = others_of_another_class(torch.tensor([1, 1]), torch.ones(4, dtype=torch.long), 100)
    assert torch.unique(drawn).tolist() == [0, 1, 2, 3]
