"""Scorers of the DisWOT paper against direct transcriptions of their equations."""

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from diswot.networks import Activations, ForwardPass
from diswot.scorers import relation, relation_gram, scorers, semantic, semantic_grad
from search_spaces import CifarResNet
from tests.scorers.probes import CLASSES, IMAGES, batch, probe_of, resnet, scored, teacher_for

ALIKE = ("diswot", "semantic", "relation", "semantic_grad", "relation_gram")
"""Scorers that measure how alike two networks are: 0 for the same."""

OF_IMAGES = sorted(name for name, scorer in scorers().items() if "tokens" not in scorer.card.reads)

ORDERED = ("zico", "meco", "az_trainability", "az_nas", "vkdnw_agg")


@pytest.fixture(name="student")
def fixture_student() -> Activations:
    return probe_of(resnet(1), batch(), "diswot")


@pytest.fixture(name="teacher")
def fixture_teacher() -> Activations:
    return teacher_for(resnet(2), batch(), "diswot")


def array(tensor: Tensor) -> NDArray[np.float64]:
    return tensor.detach().double().numpy()


def test_semantic_equals_the_equation_of_the_paper(
    student: Activations, teacher: Activations
) -> None:
    def similarity(activations: Activations, n: int) -> NDArray[np.float64]:
        maps, weight = array(activations.feature_map), array(activations.classifier_weight)
        b, c, h, w = maps.shape
        localization = np.zeros((b, h * w))
        for image in range(b):
            for channel in range(c):
                localization[image] += weight[n, channel] * maps[image, channel].ravel()
        gram = localization @ localization.T
        return np.asarray(gram / np.sqrt((gram**2).sum()))

    distances = []
    for n in range(CLASSES):
        difference = similarity(teacher, n) - similarity(student, n)
        distances.append(np.sqrt((difference**2).sum()))
    score = semantic(student, teacher).detach()
    assert float(score) == pytest.approx(-np.mean(distances), rel=1e-4)


def test_relation_equals_the_equation_of_the_paper(
    student: Activations, teacher: Activations
) -> None:
    def similarity(activations: Activations) -> NDArray[np.float64]:
        rows = array(activations.feature_map).reshape(IMAGES, -1)
        gram = np.array([[a @ b for b in rows] for a in rows])
        return np.asarray(gram / np.sqrt((gram**2).sum()))

    expected = -np.sqrt(((similarity(teacher) - similarity(student)) ** 2).sum())
    assert float(relation(student, teacher).detach()) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("scale", [2.0**-110, 1e-12, 1e12, 2.0**60])
def test_similarity_is_invariant_to_the_scale_of_feature_maps(
    student: Activations, teacher: Activations, scale: float
) -> None:
    maps = teacher.feature_map * scale
    activations = ForwardPass(teacher.output, teacher.features, maps, teacher.classifier_weight)
    for score in (relation, semantic):
        found, expected = score(student, Activations(activations)), score(student, teacher)
        torch.testing.assert_close(found, expected)
        assert torch.equal(found, expected) or not math.log2(scale).is_integer()


def test_diswot_is_the_sum_of_both_terms_of_the_paper(
    student: Activations, teacher: Activations
) -> None:
    terms = scored(resnet(1), resnet(2), batch(), "diswot")
    assert terms == {
        "semantic": float(semantic(student, teacher).detach()),
        "relation": float(relation(student, teacher).detach()),
    }


def test_relation_gram_equals_the_published_snippet(
    student: Activations, teacher: Activations
) -> None:
    def similarity(activations: Activations) -> NDArray[np.float64]:
        rows = array(activations.feature_map).reshape(IMAGES, -1)
        gram = rows @ rows.T
        return np.asarray(gram / np.linalg.norm(gram, axis=1, keepdims=True))

    expected = -((similarity(teacher) - similarity(student)) ** 2).sum() / IMAGES**2
    assert float(relation_gram(student, teacher).detach()) == pytest.approx(expected, rel=1e-4)


def test_semantic_grad_equals_the_snippet_with_real_gradients() -> None:
    images, labels = batch()

    def matrices(network: CifarResNet) -> Tensor:
        """Return the row-normalized outer product of each class's gradient, by autograd."""
        network.train()
        F.cross_entropy(network(images), labels).backward()  # type: ignore[no-untyped-call]
        gradient = network.classifier.weight.grad
        assert gradient is not None
        outer = torch.einsum("nc,nd->ncd", gradient, gradient)
        return F.normalize(outer, dim=2)

    student, teacher = resnet(1), resnet(2)
    difference = matrices(teacher) - matrices(student)
    expected = -difference.square().sum() / (difference.shape[1] * CLASSES)
    ours = semantic_grad(
        probe_of(student, batch(), "semantic_grad"), teacher_for(teacher, batch(), "semantic_grad")
    ).detach()
    assert float(ours) == pytest.approx(float(expected), rel=1e-3)


@pytest.mark.parametrize("name", ALIKE)
def test_the_distance_of_the_teacher_to_itself_is_zero(name: str) -> None:
    itself = scored(resnet(2), resnet(2), batch(), name)
    other = scored(resnet(1), resnet(2), batch(), name)
    assert float(sum(itself.values())) == pytest.approx(0, abs=1e-5)
    assert sum(other.values()) < -1e-4


@pytest.mark.parametrize("name", OF_IMAGES)
def test_the_order_of_the_batch_does_not_matter(name: str) -> None:
    if name in ORDERED:
        pytest.skip("the score depends on the order of the batch by definition")
    images, labels = batch()
    order = torch.randperm(IMAGES, generator=torch.Generator().manual_seed(1))
    straight = scored(resnet(1), resnet(2), (images, labels), name)
    shuffled = scored(resnet(1), resnet(2), (images[order], labels[order]), name)
    assert shuffled == pytest.approx(straight, abs=1e-4, rel=1e-3)


@pytest.mark.parametrize("name", OF_IMAGES)
def test_teachers_of_other_width_depth_and_resolution_work(name: str) -> None:
    wide = nn.Sequential(
        nn.Conv2d(3, 24, 3, padding=1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(24, CLASSES),
    )
    for student, teacher in ((resnet(1), wide), (wide, resnet(1))):
        terms = scored(student, teacher, batch(), name)
        assert all(np.isfinite(value) for value in terms.values())


def test_the_terms_of_the_teacher_are_computed_once(
    student: Activations, teacher: Activations
) -> None:
    semantic(student, teacher)
    cached = dict(teacher._memory)
    semantic(student, teacher)
    assert teacher._memory.keys() == cached.keys()
    assert all(teacher._memory[key] is value for key, value in cached.items())
    assert not student._memory
