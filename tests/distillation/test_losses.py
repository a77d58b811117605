"""Objectives of training, and the similarity losses of DisWOT in them."""

import pytest
import torch
from torch import Tensor

from diswot.activations import ActivationReader, Activations
from diswot.distillation import find_objective
from diswot.distillation.losses import relation_loss, semantic_loss
from diswot.errors import UnknownNameError
from diswot.scorers import relation, semantic
from search_spaces import CifarResNet

CLASSES = 5
IMAGES = 6


def shown(seed: int) -> Activations:
    torch.manual_seed(seed)
    network = CifarResNet((1, 1, 1), num_classes=CLASSES, widths=(4, 4, 8, 8))
    images = torch.randn(IMAGES, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    with ActivationReader(network) as read:
        return read(images)


def test_similarity_losses_are_the_scores_over_c_and_b_squared() -> None:
    student, teacher = shown(1), shown(2)
    expected = -float(semantic(student, teacher).detach()) / CLASSES**2
    assert float(semantic_loss(student, teacher).detach()) == pytest.approx(expected)
    expected = -float(relation(student, teacher).detach()) / IMAGES**2
    assert float(relation_loss(student, teacher).detach()) == pytest.approx(expected)


@pytest.mark.parametrize("loss", [semantic_loss, relation_loss])
def test_similarity_losses_are_zero_for_the_teacher_itself(loss: object) -> None:
    teacher = shown(2)
    assert callable(loss)
    assert float(loss(teacher, teacher).detach()) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("name", ["diswot", "diswot-dagger"])
def test_gradients_flow_into_the_student_and_never_into_the_teacher(name: str) -> None:
    student, teacher = shown(1), shown(2)
    labels = torch.randint(CLASSES, (IMAGES,))
    loss = find_objective(name).compute(student, teacher, labels)
    (into,) = torch.autograd.grad(loss, student.feature_map, retain_graph=True)
    assert into.abs().sum() > 0
    for part in (teacher.feature_map, teacher.logits):
        (none,) = torch.autograd.grad(loss, part, retain_graph=True, allow_unused=True)
        assert none is None


def test_dagger_adds_the_two_similarity_losses() -> None:
    student, teacher = shown(1), shown(2)
    labels = torch.randint(CLASSES, (IMAGES,))

    def value(name: str) -> Tensor:
        return find_objective(name).compute(student, teacher, labels).detach()

    added = semantic_loss(student, teacher) + relation_loss(student, teacher)
    torch.testing.assert_close(value("diswot-dagger") - value("diswot"), added.detach())


def test_an_unknown_loss_is_met_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'diswot-dagger'"):
        find_objective("diswot-dager")
