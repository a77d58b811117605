"""Training objectives, and the similarity losses of DisWOT."""

import pytest
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from diswot.errors import UnknownNameError
from diswot.losses import (
    TrainingBatch,
    parse_objective,
    relation_loss,
    semantic_loss,
)
from diswot.networks import ActivationReader, Activations
from diswot.scorers import relation, semantic
from search_spaces import CifarResNet

CLASSES = 5
IMAGES = 6


def network(seed: int) -> CifarResNet:
    torch.manual_seed(seed)
    return CifarResNet((1, 1, 1), num_classes=CLASSES, widths=(4, 4, 8, 8))


def activations(seed: int) -> Activations:
    images = torch.randn(IMAGES, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    with ActivationReader(network(seed)) as read:
        return read(images)


def test_similarity_losses_are_scores_divided_by_c2_and_b2() -> None:
    student, teacher = activations(1), activations(2)
    expected = -float(semantic(student, teacher).detach()) / CLASSES**2
    assert float(semantic_loss(student, teacher).detach()) == pytest.approx(expected)
    expected = -float(relation(student, teacher).detach()) / IMAGES**2
    assert float(relation_loss(student, teacher).detach()) == pytest.approx(expected)


@pytest.mark.parametrize("loss", [semantic_loss, relation_loss])
def test_similarity_losses_of_the_teacher_itself_are_zero(loss: object) -> None:
    teacher = activations(2)
    assert callable(loss)
    assert float(loss(teacher, teacher).detach()) == pytest.approx(0, abs=1e-6)


def value_of(name: str, student: CifarResNet, teacher: CifarResNet) -> tuple[Tensor, Activations]:
    """Return the loss of one batch, and the activations of the student."""
    images = torch.randn(IMAGES, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(IMAGES) % CLASSES
    batch = TrainingBatch(one_hot(labels, CLASSES).float(), labels, torch.arange(IMAGES))
    criterion = parse_objective(name).build(
        student, teacher, images, outputs=CLASSES, train_examples=IMAGES
    )
    with ActivationReader(student) as read, ActivationReader(teacher) as read_teacher:
        activations = read(images)
        return criterion(activations, read_teacher(images), batch).total, activations


@pytest.mark.parametrize("name", ["diswot", "diswot-dagger"])
def test_only_the_student_gets_gradients(name: str) -> None:
    student, teacher = network(1), network(2)
    loss, _ = value_of(name, student, teacher)
    loss.backward()  # type: ignore[no-untyped-call]
    assert all(parameter.grad is not None for parameter in student.parameters())
    assert all(parameter.grad is None for parameter in teacher.parameters())


def test_dagger_adds_the_two_similarity_losses() -> None:
    student, teacher = network(1), network(2)
    student_activations, teacher_activations = activations(1), activations(2)
    added = semantic_loss(student_activations, teacher_activations) + relation_loss(
        student_activations, teacher_activations
    )
    more = value_of("diswot-dagger", student, teacher)[0] - value_of("diswot", student, teacher)[0]
    torch.testing.assert_close(more.detach(), added.detach())


def test_an_unknown_loss_suggests_the_closest_match() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'diswot-dagger'"):
        parse_objective("diswot-dager")
