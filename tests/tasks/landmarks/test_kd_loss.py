"""The assistive loss and the main loss against explicit piecewise formulas."""

from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from diswot.errors import OptionError
from diswot.tasks.landmarks import CODE, FIGURE, Assistance, assistive_loss, main_loss

REAL = st.floats(-0.5, 0.5)


def by_regions(student: float, teacher: float, truth: float, constants: Assistance) -> float:
    """Compute the loss of one coordinate: mirror the teacher, then weight by region."""
    d, e = abs(teacher - truth), abs(student - truth)
    side = 1.0 if student >= truth else -1.0
    reflected, beta = truth + side * d, truth + side * constants.kappa * d
    if e > d:
        weight = constants.positive
    elif side * (student - beta) >= 0:
        weight = -constants.negative
    else:
        weight = -constants.negative * e / (constants.kappa * d) if constants.ramp else 0.0
    return weight * abs(reflected - student)


@given(student=REAL, teacher=REAL, truth=REAL, code=st.booleans())
def test_the_assistive_loss_equals_its_piecewise_formula(
    student: float, teacher: float, truth: float, code: bool
) -> None:
    constants = CODE["tough"] if code else FIGURE
    values = (torch.tensor([[value]], dtype=torch.double) for value in (student, teacher, truth))
    found = float(assistive_loss(*values, constants=constants))
    d, e = abs(teacher - truth), abs(student - truth)
    near_an_edge = min(abs(e - d), abs(e - constants.kappa * d)) < 1e-9
    if not near_an_edge:
        assert found == pytest.approx(by_regions(student, teacher, truth, constants), abs=1e-12)


@given(error=REAL, teacher=REAL)
def test_the_assistive_loss_is_even_in_the_error(error: float, teacher: float) -> None:
    truth = torch.zeros(1, 1, dtype=torch.double)
    other = torch.full((1, 1), teacher, dtype=torch.double)
    sides = [assistive_loss(truth + side * error, other, truth) for side in (1, -1)]
    assert torch.equal(*sides)


def test_a_perfect_teacher_makes_it_a_weighted_l1_loss() -> None:
    generator = torch.Generator().manual_seed(0)
    truth, student = (torch.randn(5, 8, generator=generator) for _ in range(2))
    expected = FIGURE.positive * (student - truth).abs().mean()
    assert torch.allclose(assistive_loss(student, truth, truth), expected)


def lowest_at(loss: Callable[[Tensor], Tensor]) -> float:
    """Return the error of the lowest loss on a fine grid."""
    grid = torch.linspace(-1, 1, 4001, dtype=torch.double)
    values = torch.stack([loss(error.reshape(1, 1)) for error in grid])
    return float(grid[values.argmin()])


@pytest.mark.slow
@pytest.mark.parametrize("tough", [0.0, 0.01, 0.1, 0.4])
@pytest.mark.parametrize("tolerant", [0.0, 0.03, 0.5])
def test_the_default_loss_is_lowest_at_the_ground_truth(tough: float, tolerant: float) -> None:
    truth = torch.zeros(1, 1, dtype=torch.double)

    def total(student: Tensor) -> Tensor:
        assisted = [assistive_loss(student, truth + d, truth) for d in (tough, tolerant)]
        return 2.5 * main_loss(student, truth) + sum(assisted, torch.zeros(()))

    assert lowest_at(total) == pytest.approx(0, abs=1e-12)


@pytest.mark.slow
def test_constants_of_the_published_code_shift_the_minimum() -> None:
    truth = torch.zeros(1, 1, dtype=torch.double)

    def total(student: Tensor) -> Tensor:
        assisted = [assistive_loss(student, truth + 0.1, truth, constants=CODE[n]) for n in CODE]
        return 2 * main_loss(student, truth, slope=3, tau=0.0) + sum(assisted, torch.zeros(()))

    assert abs(lowest_at(total)) > 0.01


def test_only_the_ramp_is_continuous_at_its_end() -> None:
    truth, teacher = torch.zeros(1, 1, dtype=torch.double), torch.ones(1, 1, dtype=torch.double)
    for constants, continuous in ((FIGURE, True), (CODE["tough"], False)):
        edges = [
            float(
                assistive_loss(truth + constants.kappa + step, teacher, truth, constants=constants)
            )
            for step in (-1e-9, 1e-9)
        ]
        assert (abs(edges[0] - edges[1]) < 1e-6) is continuous


def test_only_the_student_gets_gradients() -> None:
    student, teacher = (torch.randn(2, 4, requires_grad=True) for _ in range(2))
    assistive_loss(student, teacher, torch.zeros(2, 4)).backward()  # type: ignore[no-untyped-call]
    assert student.grad is not None
    assert student.grad.abs().sum() > 0
    assert teacher.grad is None


@pytest.mark.parametrize("error", [0.0, 0.2, 0.5, 0.7])
def test_the_main_loss_is_linear_then_quadratic(error: float) -> None:
    found = float(main_loss(torch.tensor([[error]]), torch.zeros(1, 1), slope=3, tau=0.5))
    expected = 3 * error if error <= 0.5 else error**2 + 3 * 0.5 - 0.25
    assert found == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("wrong", [{"kappa": 0.0}, {"kappa": 1.0}, {"positive": -1.0}])
def test_constants_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(OptionError, match="but got"):
        Assistance(**wrong)  # type: ignore[arg-type]
