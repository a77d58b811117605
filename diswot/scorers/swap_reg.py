"""SWAP, made smaller the further the network is from a wanted size."""

import math

from diswot.networks import Activations
from diswot.networks.probe import Probe
from diswot.scorers._card import Card
from diswot.scorers._registry import register
from diswot.scorers.swap import CODES, swap

MU = 1500.0
"""Wanted size, in thousands of parameters: that of the largest cells of NAS-Bench-201."""

SIGMA = MU**2
"""Width of the curve, in thousands of parameters squared."""


@register(
    Card(
        "swap_reg",
        f"swap times exp(−(P − μ)²/σ), P thousand parameters, μ = {MU:.0f}, σ = μ²",
        "Peng et al., SWAP-NAS, ICLR 2024, definitions 3.4 and 3.5; μ and σ are ours",
        needs_teacher=False,
        supports="networks with activation functions as modules",
    ),
    watches=[CODES],
)
def swap_reg(student: Probe, teacher: Activations) -> float:
    """Return Ψ · exp(−(P − μ)²/σ), Ψ the number of patterns, P the thousands of parameters.

    Deviation: the paper sets μ = σ, for networks shrunk to a few thousand parameters. At
    the sizes of this library that is zero for all but a few networks, so μ is the
    size of the largest cells of NAS-Bench-201, and σ = μ², which makes the factor a
    function of P/μ: 0.41 for a network of 6 % of μ, 1 for one of μ.
    """
    size = student.costs.params / 1000
    return float(swap(student, teacher)) * math.exp(-((size - MU) ** 2) / SIGMA)
