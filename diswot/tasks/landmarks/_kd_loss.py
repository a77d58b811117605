"""KD-Loss: distillation of a regressor from a tough and a tolerant teacher.

Source: Fard and Mahoor, "Facial Landmark Points Detection Using Knowledge Distillation-Based
Neural Networks", CVIU 215:103316, 2022 (arXiv 2111.07047). Coordinates are normalized to the
image: (x − width/2)/width, between −0.5 and 0.5.

The paper's figure and the authors' released code differ in constants and near the truth;
both are implemented. `FIGURE` is the default, since its total loss has its global minimum at
the truth for any teachers; with the weights of `CODE` this does not hold for small τ.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from diswot.errors import OptionError


@dataclass(frozen=True)
class Assistance:
    """Constants of the assistive loss.

    Attributes:
        kappa: share κ of the teacher's error d below which the weight decreases, in (0, 1).
        positive: weight if the student's error is larger than the teacher's.
        negative: weight if the student's error is smaller than the teacher's.
        ramp: whether the influence falls linearly to 0 at the truth (the figure), or is 0
            below κ·d at once (the code), which makes the loss jump there.

    Raises:
        OptionError: a constant is out of range.
    """

    kappa: float = 0.4
    positive: float = 0.9
    negative: float = 0.45
    ramp: bool = True

    def __post_init__(self) -> None:
        if not 0 < self.kappa < 1:
            raise OptionError(f"Expected kappa between 0 and 1, but got {self.kappa}")
        if self.positive < 0 or self.negative < 0:
            raise OptionError(
                "Expected weights of at least 0, but got "
                f"positive {self.positive}, negative {self.negative}"
            )


FIGURE = Assistance()
"""Constants for both teachers, read off the figure's two panels to within 1 %."""

CODE = {
    "tough": Assistance(0.15, 1.9, 0.45, ramp=False),
    "tolerant": Assistance(0.15, 1.8, 0.4, ramp=False),
}
"""Teacher → constants of the authors' released code."""


def assistive_loss(
    student: Tensor, teacher: Tensor, truth: Tensor, *, constants: Assistance = FIGURE
) -> Tensor:
    """Return the assistive loss, a scalar: the mean of ω(e)·|P_Te′ − P_Pr| over all coordinates.

    With e = |student − truth| and d = |teacher − truth|, P_Te′ is the teacher reflected to the
    student's side of the truth, so |P_Te′ − P_Pr| = |d − e|. The weight ω is +positive where
    e > d (pull toward the teacher, which is toward the truth), −negative where κd < e ≤ d
    (push beyond the teacher), and fades to 0 at the truth where e ≤ κd.

    Args:
        student: coordinates (B, D); gradients flow into them.
        teacher: coordinates (B, D); no gradient flows into them.
        truth: coordinates (B, D).
        constants: κ and the two weights.

    Examples:
        >>> truth, student = torch.zeros(1, 2), torch.tensor([[0.2, -0.4]])
        >>> round(float(assistive_loss(student, truth, truth)), 4)  # a perfect teacher: 0.9·|e|
        0.27
    """
    e, d = (student - truth).abs(), (teacher.detach() - truth).abs()
    # e/(κd) is below 1 near the truth, where the weight fades to 0.
    near = e / (constants.kappa * d).clamp_min(torch.finfo(e.dtype).tiny)
    fading = near if constants.ramp else torch.zeros_like(near)
    below = -constants.negative * torch.where(near < 1, fading, torch.ones_like(near))
    weight = torch.where(e > d, torch.full_like(e, constants.positive), below)
    return (weight * (d - e).abs()).mean()


def main_loss(
    student: Tensor, truth: Tensor, *, slope: float = 1.0, tau: float | Tensor = 0.5
) -> Tensor:
    """Return the main loss, a scalar: the mean of c·e if e ≤ τ, else of e² + c·τ − τ².

    Args:
        student: coordinates (B, D); gradients flow into them.
        truth: coordinates (B, D).
        slope: slope c of the linear part; 1 in the figure, 3 in the code.
        tau: error from which the loss is quadratic instead of linear: a number, or one per
            coordinate, in the code |truth − smoothed truth|.

    Examples:
        >>> float(main_loss(torch.tensor([[0.25, 1.0]]), torch.zeros(1, 2)))
        0.75
    """
    e = (student - truth).abs()
    bound = torch.as_tensor(tau, dtype=e.dtype, device=e.device)
    return torch.where(e <= bound, slope * e, e.square() + slope * bound - bound.square()).mean()
