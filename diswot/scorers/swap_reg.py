"""Regularized SWAP: reduced for networks whose size differs from a preferred size."""

import math

from diswot.networks import Activations
from diswot.networks.probe import Probe
from diswot.scorers._card import Card
from diswot.scorers._registry import register
from diswot.scorers.swap import CODES, swap

MU = 1500.0
"""Preferred size, in thousands of parameters: that of the largest cells of NAS-Bench-201."""

SIGMA = MU**2
"""Width of the curve, in thousands of parameters squared."""


@register(
    Card(
        "swap_reg",
        f"swap · exp(−(P − μ)²/σ) for P thousand parameters, μ = {MU:.0f}, σ = μ²",
        "Peng et al., SWAP-NAS, ICLR 2024, definitions 3.4 and 3.5; μ and σ are ours",
        needs_teacher=False,
        supports="networks with activation functions as modules",
    ),
    watches=[CODES],
)
def swap_reg(student: Probe, teacher: Activations) -> float:
    """Return Ψ · exp(−(P − μ)²/σ), for Ψ patterns (`swap`) and P thousand parameters.

    Source: Peng et al., SWAP-NAS, ICLR 2024, definitions 3.4 and 3.5. Deviation: the paper
    sets μ = σ, for networks of a few thousand parameters; for larger networks the factor would
    be 0. Here, μ is the size of the largest cells of NAS-Bench-201 and σ = μ², so that the
    factor depends on P/μ: 1 for P = μ, and 0.41 for 6 % of μ.
    """
    size = student.costs.params / 1000
    return float(swap(student, teacher)) * math.exp(-((size - MU) ** 2) / SIGMA)
