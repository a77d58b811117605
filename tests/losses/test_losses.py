"""Distillation losses: their common contract, and each against its equation in NumPy."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from diswot.losses import (
    at_loss,
    cc_loss,
    fitnet_loss,
    fsp_loss,
    ickd_loss,
    kd_loss,
    kdsvd_loss,
    nst_loss,
    pkt_loss,
    rkd_loss,
    sp_loss,
)

Array = NDArray[np.float64]
Flow = tuple[Tensor, Tensor]
IMAGES = 6


def values(seed: int, *shape: int) -> Tensor:
    """Return numbers of both signs, with some zeros, as after a leaky ReLU."""
    drawn = torch.randn(IMAGES, *shape, generator=torch.Generator().manual_seed(seed))
    return torch.where(drawn < -0.5, 0, drawn)


def logits(seed: int) -> Tensor:
    return values(seed, 5)


def features(seed: int) -> Tensor:
    return values(seed, 7)


def maps(seed: int) -> Tensor:
    return values(seed, 4, 3, 3)


def flow(seed: int) -> Flow:
    return values(seed, 4, 3, 3), values(seed + 100, 11, 3, 3)


@dataclass(frozen=True)
class Case:
    """A loss, its inputs, and its equation."""

    loss: Callable[[Any, Any], Tensor]
    given: Callable[[int], Any]
    equation: Callable[[Any, Any], float]


def softmax(row: Array) -> Array:
    return np.asarray(np.exp(row) / np.exp(row).sum())


def kd(student: Array, teacher: Array) -> float:
    total = 0.0
    for s, t in zip(student, teacher, strict=True):
        p, q = softmax(t / 4), softmax(s / 4)
        total += float((p * np.log(p / q)).sum())
    return 16 * total / IMAGES


def fitnet(student: Array, teacher: Array) -> float:
    return float(((student - teacher) ** 2).sum() / student.size)


def at(student: Array, teacher: Array) -> float:
    def attention(image: Array) -> Array:
        total = sum(channel**2 for channel in image).ravel()
        return np.asarray(total / np.sqrt((total**2).sum()))

    differences = [attention(s) - attention(t) for s, t in zip(student, teacher, strict=True)]
    return float(np.mean(np.square(differences)))


def rows_of_length_one(matrix: Array) -> Array:
    return np.array([row / math.sqrt(sum(x * x for x in row)) for row in matrix])


def sp(student: Array, teacher: Array) -> float:
    def similarity(images: Array) -> Array:
        return rows_of_length_one(np.array([[(a * b).sum() for b in images] for a in images]))

    return float(((similarity(student) - similarity(teacher)) ** 2).sum() / IMAGES**2)


def cc(student: Array, teacher: Array) -> float:
    def correlation(a: Array, b: Array) -> float:
        product = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
        series = 1 + 0.8 * product + 0.8**2 / 2 * product**2
        return float(math.exp(-0.8) * series)

    total = 0.0
    for i in range(IMAGES):
        for j in range(IMAGES):
            total += (
                correlation(student[i], student[j]) - correlation(teacher[i], teacher[j])
            ) ** 2
    return total / IMAGES**2


def rkd(student: Array, teacher: Array) -> float:
    def huber(x: float, y: float) -> float:
        return (x - y) ** 2 / 2 if abs(x - y) <= 1 else abs(x - y) - 0.5

    def distances(points: Array) -> Array:
        between = np.array([[np.linalg.norm(a - b) for b in points] for a in points])
        return np.asarray(between / between[~np.eye(IMAGES, dtype=bool)].mean())

    def angle(points: Array, i: int, j: int, k: int) -> float:
        a, b = points[i] - points[j], points[k] - points[j]
        return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))

    pairs = zip(distances(student).ravel(), distances(teacher).ravel(), strict=True)
    distance = sum(huber(s, t) for s, t in pairs) / IMAGES**2
    bends = [
        huber(angle(student, i, j, k), angle(teacher, i, j, k))
        for i in range(IMAGES)
        for j in range(IMAGES)
        for k in range(IMAGES)
        if j not in (i, k)
    ]
    return 25 * distance + 50 * sum(bends) / IMAGES**3


def pkt(student: Array, teacher: Array) -> float:
    def probability(points: Array, j: int, i: int) -> float:
        def kernel(other: int) -> float:
            a, b = points[i], points[other]
            return float((a @ b / np.linalg.norm(a) / np.linalg.norm(b) + 1) / 2)

        return kernel(j) / sum(kernel(k) for k in range(IMAGES) if k != i)

    total = 0.0
    for i in range(IMAGES):
        for j in range(IMAGES):
            if i != j:
                p, q = probability(teacher, j, i), probability(student, j, i)
                total += p * math.log(p / q)
    return total / IMAGES**2


def nst(student: Array, teacher: Array) -> float:
    def kernel(a: Array, b: Array) -> float:
        a, b = a.ravel(), b.ravel()
        return float((a @ b / np.linalg.norm(a) / np.linalg.norm(b)) ** 2)

    def mean(a: Array, b: Array) -> float:
        return sum(kernel(x, y) for x in a for y in b) / len(a) / len(b)

    pairs = zip(student, teacher, strict=True)
    return sum(mean(s, s) + mean(t, t) - 2 * mean(s, t) for s, t in pairs) / IMAGES


def ickd(student: Array, teacher: Array) -> float:
    def correlation(image: Array) -> Array:
        return rows_of_length_one(np.array([[(a * b).sum() for b in image] for a in image]))

    pairs = zip(student, teacher, strict=True)
    total = sum(((correlation(s) - correlation(t)) ** 2).sum() for s, t in pairs)
    return float(total / student.shape[1] / IMAGES)


def images_of(flow: tuple[Array, Array]) -> Iterator[tuple[Array, Array]]:
    first, last = (each.reshape(*each.shape[:2], -1) for each in flow)
    return zip(first, last, strict=True)


def fsp(student: tuple[Array, Array], teacher: tuple[Array, Array]) -> float:
    def matrix(first: Array, last: Array) -> Array:
        places = first.shape[1]
        return np.asarray(
            sum(np.outer(first[:, place], last[:, place]) for place in range(places)) / places
        )

    pairs = zip(images_of(student), images_of(teacher), strict=True)
    return float(sum(((matrix(*s) - matrix(*t)) ** 2).sum() for s, t in pairs) / IMAGES)


def kdsvd(student: tuple[Array, Array], teacher: tuple[Array, Array]) -> float:
    def vectors(image: Array) -> Array:
        found = np.linalg.svd(image.T, full_matrices=False)[2][:4]
        return np.array([vector * np.sign(vector.sum()) for vector in found])

    def nearest(candidates: Array, reference: Array) -> Array:
        best = max(candidates, key=lambda vector: abs(vector @ reference))
        return np.asarray(best * np.sign(best @ reference))

    def correlation(first: Array, last: Array) -> Array:
        return np.array([[math.exp(-((x - y) ** 2) / 8) for y in last] for x in first])

    total = 0.0
    for s, t in zip(images_of(student), images_of(teacher), strict=True):
        theirs = [vectors(image)[0] for image in t]
        ours = [nearest(vectors(image), v) for image, v in zip(s, theirs, strict=True)]
        total += ((correlation(*ours) - correlation(*theirs)) ** 2).sum()
    return total / IMAGES


CASES = {
    "kd": Case(kd_loss, logits, kd),
    "fitnet": Case(fitnet_loss, maps, fitnet),
    "at": Case(at_loss, maps, at),
    "sp": Case(sp_loss, maps, sp),
    "cc": Case(cc_loss, features, cc),
    "rkd": Case(rkd_loss, features, rkd),
    "pkt": Case(pkt_loss, features, pkt),
    "nst": Case(nst_loss, maps, nst),
    "ickd": Case(ickd_loss, maps, ickd),
    "kdsvd": Case(kdsvd_loss, flow, kdsvd),
    "fsp": Case(fsp_loss, flow, fsp),
}

each_loss = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
of_images = pytest.mark.parametrize("loss", [sp_loss, cc_loss, rkd_loss, pkt_loss])


def parts(given: Tensor | Flow) -> Flow | tuple[Tensor]:
    return given if isinstance(given, tuple) else (given,)


def changed(given: Tensor | Flow, how: Callable[[Tensor], Any]) -> Any:
    """Return `given` with `how` applied to every tensor in it."""
    return tuple(map(how, given)) if isinstance(given, tuple) else how(given)


@each_loss
def test_the_value_equals_the_equation(case: Case) -> None:
    student, teacher = case.given(1), case.given(2)
    arrays = (changed(given, lambda part: part.double().numpy()) for given in (student, teacher))
    expected = case.equation(*arrays)
    assert expected > 1e-4
    assert float(case.loss(student, teacher)) == pytest.approx(expected, rel=1e-4)


@each_loss
def test_the_loss_is_zero_for_the_teacher_and_positive_otherwise(case: Case) -> None:
    teacher = case.given(2)
    assert float(case.loss(teacher, teacher)) == pytest.approx(0, abs=1e-6)
    assert all(float(case.loss(case.given(seed), teacher)) > 1e-6 for seed in range(3, 9))


@each_loss
def test_only_the_student_gets_gradients(case: Case) -> None:
    student, teacher = (changed(case.given(seed), Tensor.requires_grad_) for seed in (1, 2))
    case.loss(student, teacher).backward()  # type: ignore[no-untyped-call]
    for part in parts(student):
        assert part.grad is not None
        assert part.grad.isfinite().all()
        assert part.grad.abs().sum() > 0
    assert all(part.grad is None for part in parts(teacher))


@pytest.mark.slow
@each_loss
def test_gradients_equal_finite_differences(case: Case) -> None:
    teacher = changed(case.given(2), Tensor.double)
    student = changed(
        case.given(1), lambda part: (part + 0.01 * torch.rand_like(part)).double().requires_grad_()
    )

    def loss(*given: Tensor) -> Tensor:
        return case.loss(given if len(given) > 1 else given[0], teacher)

    assert torch.autograd.gradcheck(loss, parts(student))


@each_loss
@pytest.mark.parametrize("precision", [torch.float16, torch.bfloat16])
def test_half_precision_inputs_are_computed_in_fp32(case: Case, precision: torch.dtype) -> None:
    student, teacher = (
        changed(case.given(seed), lambda part: (300 * part).to(precision)) for seed in (1, 2)
    )
    loss = case.loss(student, teacher)
    assert loss.isfinite()
    single = case.loss(changed(student, Tensor.float), changed(teacher, Tensor.float))
    torch.testing.assert_close(loss, single)


@pytest.mark.parametrize("loss", [at_loss, sp_loss, nst_loss])
def test_losses_over_positions_or_images_accept_any_width(loss: Callable[..., Tensor]) -> None:
    narrow, wide = values(1, 3, 3, 3), values(2, 9, 3, 3)
    assert float(loss(narrow, wide)) > 0
    assert float(loss(narrow, torch.cat([narrow, narrow], dim=1))) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("loss", [cc_loss, rkd_loss, pkt_loss])
def test_losses_over_features_accept_any_width(loss: Callable[..., Tensor]) -> None:
    narrow, wide = values(1, 3), values(2, 9)
    assert float(loss(narrow, wide)) > 0
    assert float(loss(narrow, torch.cat([narrow, narrow], dim=1))) == pytest.approx(0, abs=1e-5)


@of_images
def test_relation_losses_of_one_image_are_zero(loss: Callable[..., Tensor]) -> None:
    assert float(loss(values(1, 3)[:1], values(2, 3)[:1])) == 0


@of_images
def test_identical_images_have_finite_gradients(loss: Callable[..., Tensor]) -> None:
    student = torch.ones(IMAGES, 3, requires_grad=True)
    loss(student, values(2, 3)).backward()  # type: ignore[no-untyped-call]
    assert student.grad is not None
    assert student.grad.isfinite().all()


def test_channels_that_are_zero_have_finite_gradients_in_kdsvd() -> None:
    first, last = flow(1)
    first[:, :2], last[0] = 0, 0
    student = first.requires_grad_(), last.requires_grad_()
    kdsvd_loss(student, flow(2)).backward()  # type: ignore[no-untyped-call]
    for part in student:
        assert part.grad is not None
        assert part.grad.isfinite().all()


def test_kd_divides_logits_by_the_temperature() -> None:
    student, teacher = logits(1), logits(2)
    at_one = float(kd_loss(student / 2, teacher / 2, temperature=1))
    assert float(kd_loss(student, teacher, temperature=2)) == pytest.approx(4 * at_one, rel=1e-4)


def test_rkd_weighs_distance_and_angle() -> None:
    student, teacher = features(1), features(2)
    apart = [rkd_loss(student, teacher, distance=d, angle=a) for d, a in ((1, 0), (0, 1))]
    both = rkd_loss(student, teacher, distance=2, angle=3)
    torch.testing.assert_close(both, 2 * apart[0] + 3 * apart[1])


def test_cc_of_high_order_approaches_the_rbf_kernel() -> None:
    student, teacher = features(1), features(2)

    def kernel(points: Tensor) -> Tensor:
        unit = points / points.norm(dim=1, keepdim=True)
        squared: Tensor = (unit[:, None] - unit[None]).square().sum(dim=2)
        return torch.exp(-0.4 * squared)

    expected = (kernel(student) - kernel(teacher)).square().mean()
    torch.testing.assert_close(cc_loss(student, teacher, order=12), expected)
