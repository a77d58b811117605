"""Losses of multi-label images agree with their equations, written term by term."""

import math

import pytest
import torch
from torch import Tensor

from diswot.losses import parse_objective
from diswot.tasks import find_task
from diswot.tasks.images.multi_label import bce_loss, mld_loss

GENERATOR = torch.Generator().manual_seed(0)
STUDENT = torch.randn(3, 4, generator=GENERATOR)
TEACHER = torch.randn(3, 4, generator=GENERATOR)
TARGETS = torch.tensor([[1, 0, 0, 1], [0, 0, 0, 0], [1, 1, 1, 1]])


def sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))


def test_binary_cross_entropy_is_a_sum_over_labels() -> None:
    total = 0.0
    for logits, labels in zip(STUDENT.tolist(), TARGETS.tolist(), strict=True):
        for logit, label in zip(logits, labels, strict=True):
            share = sigmoid(logit)
            total -= label * math.log(share) + (1 - label) * math.log(1 - share)
    assert float(bce_loss(STUDENT, TARGETS)) == pytest.approx(total / 3, rel=1e-5)


@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_distillation_is_a_divergence_for_each_label(temperature: float) -> None:
    total = 0.0
    for ours, theirs in zip(STUDENT.tolist(), TEACHER.tolist(), strict=True):
        for one, other in zip(ours, theirs, strict=True):
            q, p = sigmoid(one / temperature), sigmoid(other / temperature)
            total += p * math.log(p / q) + (1 - p) * math.log((1 - p) / (1 - q))
    found = mld_loss(STUDENT, TEACHER, temperature=temperature)
    assert float(found) == pytest.approx(total * temperature**2 / 3, rel=1e-4)


def test_distillation_is_finite_and_0_for_equal_outputs() -> None:
    large = torch.tensor([[500.0, -500.0]])
    assert float(mld_loss(large, large)) == 0
    assert float(mld_loss(-large, large)) == pytest.approx(1000)
    assert bool(bce_loss(large, torch.tensor([[0, 1]])).isfinite())


def test_gradients_are_differences_of_probabilities() -> None:
    def gradient(loss: Tensor, student: Tensor) -> Tensor:
        (result,) = torch.autograd.grad(loss, student)
        return result * len(student)

    student = STUDENT.clone().requires_grad_()
    expected = student.sigmoid() - TARGETS
    assert torch.allclose(gradient(bce_loss(student, TARGETS), student), expected, atol=1e-6)
    expected = student.sigmoid() - TEACHER.sigmoid()
    assert torch.allclose(gradient(mld_loss(student, TEACHER), student), expected, atol=1e-6)


def test_default_losses_are_without_and_with_a_teacher() -> None:
    alone, distilled = map(parse_objective, find_task("multi-label").losses)
    assert (alone.needs_teacher, distilled.needs_teacher) == (False, True)
