"""student_fit_1 and its terms against direct transcriptions of their definitions."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor, nn

import diswot
from diswot.networks import Activations
from diswot.networks.layers import blocks
from diswot.scorers import find_scorer
from search_spaces import CifarResNet, ResNetDepthSpace
from tests.scorers.probes import (
    IMAGES,
    NETWORKS,
    batch,
    calls,
    cell,
    dead,
    layers,
    probe_of,
    resnet,
    scored,
    teacher_for,
    transformer,
    without_normalization,
)

TERMS = ["filled_width", "root_size", "teacher_alignment"]
each_network = pytest.mark.parametrize("build", list(NETWORKS.values()), ids=list(NETWORKS))


def outputs_of(network: nn.Module, images: Tensor) -> list[Tensor]:
    """Return the outputs of the blocks, in the order of the calls."""
    return [output.detach() for _, output in calls(network, blocks(network), images)]


def unbiased_hsic(k: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Return HSIC_1 of Song et al., equation 5, from two kernels."""
    n = len(k)
    k, other = k * (1 - np.eye(n)), other * (1 - np.eye(n))
    one = np.ones(n)
    return float(
        np.trace(k @ other)
        + (one @ k @ one) * (one @ other @ one) / ((n - 1) * (n - 2))
        - 2 / (n - 2) * (one @ k @ other @ one)
    ) / (n * (n - 3))


def cka(a: Tensor, b: Tensor) -> float:
    """Return the linear CKA of two outputs, images first."""
    k, other = (
        (rows @ rows.T).double().numpy() for rows in (a.double().flatten(1), b.double().flatten(1))
    )
    return unbiased_hsic(k, other) / math.sqrt(unbiased_hsic(k, k) * unbiased_hsic(other, other))


@each_network
@pytest.mark.parametrize("led_by_itself", [False, True], ids=["another", "itself"])
def test_alignment_is_the_mean_cka_with_blocks_or_images(
    build: Callable[[], nn.Module], led_by_itself: bool
) -> None:
    teacher = build if led_by_itself else partial(resnet, 2)
    images, _ = batch()
    own, theirs = outputs_of(build(), images), outputs_of(teacher(), images)
    with_teacher, with_images = [], []
    for number, output in enumerate(own, start=1):
        at_its_depth = math.ceil(number * len(theirs) / len(own))
        with_teacher.append(cka(output, theirs[at_its_depth - 1]))
        with_images.append(cka(output, images))
    assert (np.mean(with_teacher) > np.mean(with_images)) == led_by_itself
    expected = max(np.mean(with_teacher), np.mean(with_images))
    found = scored(build(), teacher(), batch(), "student_fit_1")["teacher_alignment"]
    assert found == pytest.approx(math.log(1 + expected), abs=1e-4)


@each_network
def test_filled_width_is_the_sum_of_ranks_times_entropies(
    build: Callable[[], nn.Module],
) -> None:
    network = build()
    student = probe_of(network, batch(), "filled_width")
    noise = torch.randn(batch()[0].shape, generator=student.generator("noise blocks"))
    total = 0.0
    for output in outputs_of(build(), noise):
        rows = output.flatten(2).mT if output.ndim == 4 else output
        samples = rows.reshape(-1, rows.shape[-1]).double().numpy()
        shares = np.linalg.eigvalsh(np.cov(samples, rowvar=False)).clip(min=0)
        shares = shares[shares > 0] / shares.sum()
        entropy = -(shares * np.log(shares)).sum()
        total += math.exp(entropy) * entropy
    assert scored(network, build(), batch(), "filled_width")["filled_width"] == pytest.approx(
        math.log(1 + total), rel=1e-3
    )


@each_network
def test_root_size_counts_weights_of_convolutional_and_linear(
    build: Callable[[], nn.Module],
) -> None:
    total = 0.0
    for layer in layers(build()):
        written, read, *sides = layer.weight.shape
        total += math.sqrt(written * read * math.sqrt(math.prod(sides)))
    found = scored(build(), build(), batch(), "root_size")["root_size"]
    assert found == pytest.approx(math.log(total))


def test_a_kernel_counts_with_its_side_length() -> None:
    pooled = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    network = nn.Sequential(
        nn.Conv2d(3, 12, 3), nn.Conv2d(12, 12, 5, groups=12), pooled, nn.Linear(12, 10)
    )
    found = scored(network, resnet(1), batch(), "root_size")["root_size"]
    expected = math.sqrt(3 * 12 * 3) + math.sqrt(12 * 5) + math.sqrt(12 * 10)
    assert found == pytest.approx(math.log(expected))


def test_student_fit_1_is_the_sum_of_its_terms() -> None:
    scorer = find_scorer("student_fit_1")
    assert list(scorer.terms) == TERMS
    assert scorer.formula.elementwise
    assert (scorer.card.needs_teacher, scorer.card.needs_labels) == (True, False)
    assert not scorer.card.needs_gradients


def test_a_network_is_most_aligned_with_itself() -> None:
    same = find_scorer("teacher_alignment")
    student = probe_of(resnet(1), batch(), "teacher_alignment")
    assert same(student, student)["teacher_alignment"] == pytest.approx(math.log(2), abs=1e-6)
    other = scored(resnet(1), resnet(2), batch(), "teacher_alignment")["teacher_alignment"]
    assert other < math.log(2)


@pytest.mark.slow
@settings(max_examples=10, deadline=None)
@given(scale=st.floats(1e-3, 1e3), order=st.permutations(range(IMAGES)))
def test_scores_ignore_the_teachers_scale_and_the_image_order(
    scale: float, order: list[int]
) -> None:
    images, labels = batch()

    def value(examples: tuple[Tensor, Tensor], factor: float) -> float:
        teacher = resnet(2)
        blocks(teacher)[-1].register_forward_hook(lambda _m, _i, output: output * factor)
        scaled = teacher_for(teacher, examples, "teacher_alignment")
        student = probe_of(resnet(1), examples, "teacher_alignment")
        return find_scorer("teacher_alignment")(student, scaled)["teacher_alignment"]

    plain = value((images, labels), 1.0)
    assert value((images[order], labels[order]), 1.0) == pytest.approx(plain, abs=1e-4)
    assert value((images, labels), scale) == pytest.approx(plain, abs=1e-4)


@pytest.mark.parametrize("build", [without_normalization, dead, cell, transformer])
@pytest.mark.parametrize("teacher", [without_normalization, transformer])
def test_networks_without_stages_have_a_score(
    build: Callable[[], nn.Module], teacher: Callable[[], nn.Module]
) -> None:
    terms = scored(build(), teacher(), batch(), "student_fit_1")
    assert list(terms) == TERMS
    assert all(map(math.isfinite, terms.values()))


def test_a_network_with_zero_activations_has_the_lowest_score() -> None:
    alive = scored(cell(), resnet(2), batch(), "student_fit_1")
    assert sum(scored(dead(), resnet(2), batch(), "student_fit_1").values()) < sum(alive.values())


def test_alignment_on_three_images_is_refused() -> None:
    images, labels = batch()
    few = (images[:3], labels[:3])
    assert scored(cell(), resnet(2), few, "teacher_alignment")["teacher_alignment"] == 0


SPACE = ResNetDepthSpace((1, 2), widths=(4, 4, 8), in_channels=1)
QUICK: dict[str, Any] = {"space": SPACE, "data": "digits", "repeats": 1, "batch_size": 8}


def test_the_order_of_candidates_does_not_change_scores() -> None:
    names = ["1-1", "1-2", "2-1", "2-2"]
    scores = {
        tuple(order): {
            found.name: found.score
            for found in diswot.score(order, "resnet20", scorer="student_fit_1", **QUICK)
        }
        for order in (names, names[::-1])
    }
    first, second = scores.values()
    assert first == second


class TestTheTeachersState:
    """A search uses the teacher state that its scorer needs."""

    def state(self, teacher: str | nn.Module, **options: Any) -> str:
        options = {"scorer": "student_fit_1", **options}
        found = diswot.search(teacher, population=2, generations=1, **QUICK, **options)
        return str(found.manifest["settings"]["teacher_state"])

    def test_a_given_network_counts_as_trained(self) -> None:
        teacher = CifarResNet((1, 1), num_classes=10, widths=(4, 4, 8), in_channels=1)
        assert self.state(teacher) == "trained"
        assert self.state(teacher, teacher_state="random") == "random"
        assert self.state(teacher, scorer="diswot") == "random"
        assert self.state(teacher, scorer="student_fit_1+diswot") == "random"

    def test_a_teacher_without_weights_is_random(self) -> None:
        assert self.state("resnet20") == "random"


def test_alignment_needs_no_labels() -> None:
    student = probe_of(resnet(1), batch(), "teacher_alignment")
    student.labels = None
    assert isinstance(student, Activations)
    assert find_scorer("teacher_alignment")(student, student)["teacher_alignment"] > 0


def test_a_network_that_is_not_finite_has_no_finite_score() -> None:
    broken = without_normalization()
    with torch.no_grad():
        next(broken.parameters()).fill_(torch.nan)
    terms = scored(broken, resnet(2), batch(), "student_fit_1")
    assert not math.isfinite(sum(terms.values()))
