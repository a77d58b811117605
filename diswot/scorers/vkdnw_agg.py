"""Aggregated VKDNW: log-ranks with Jacobian covariance, expressivity, trainability, FLOPs."""

from diswot.scorers._card import Card
from diswot.scorers._registry import register_combined
from diswot.scorers.az_expressivity import az_expressivity
from diswot.scorers.az_trainability import az_trainability
from diswot.scorers.flops import flops
from diswot.scorers.jacov import jacov
from diswot.scorers.vkdnw import vkdnw

vkdnw_agg = register_combined(
    Card(
        "vkdnw_agg",
        "sum of the log-ranks of vkdnw, jacov, expressivity, trainability and flops",
        "Tybl and Neumann, VKDNW, CVPR 2025, equation 15",
    ),
    "logrank",
    vkdnw,
    jacov,
    az_expressivity,
    az_trainability,
    flops,
)
