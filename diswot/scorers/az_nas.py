"""AZ-NAS: the sum of log-ranks of expressivity, progressivity, trainability and FLOPs."""

from diswot.scorers._card import Card
from diswot.scorers._registry import register_combined
from diswot.scorers.az_expressivity import az_expressivity
from diswot.scorers.az_progressivity import az_progressivity
from diswot.scorers.az_trainability import az_trainability
from diswot.scorers.flops import flops

az_nas = register_combined(
    Card(
        "az_nas",
        "sum of the log-ranks of expressivity, progressivity, trainability and flops",
        "Lee and Ham, AZ-NAS, CVPR 2024, equation 12",
    ),
    "logrank",
    az_expressivity,
    az_progressivity,
    az_trainability,
    flops,
)
