"""Distillation losses: what a student shows and what a teacher shows → a number to minimise.

Each is a function of tensors that match already; no gradient flows into the teacher's.
Scorers and distillation use the same.
"""

from diswot.distillation.losses.at import at_loss
from diswot.distillation.losses.cc import cc_loss
from diswot.distillation.losses.diswot import relation_loss, semantic_loss
from diswot.distillation.losses.fitnet import fitnet_loss
from diswot.distillation.losses.fsp import fsp_loss
from diswot.distillation.losses.ickd import ickd_loss
from diswot.distillation.losses.kd import kd_loss
from diswot.distillation.losses.kdsvd import kdsvd_loss
from diswot.distillation.losses.nst import nst_loss
from diswot.distillation.losses.pkt import pkt_loss
from diswot.distillation.losses.rkd import rkd_loss
from diswot.distillation.losses.sp import sp_loss

__all__ = [
    "at_loss",
    "cc_loss",
    "fitnet_loss",
    "fsp_loss",
    "ickd_loss",
    "kd_loss",
    "kdsvd_loss",
    "nst_loss",
    "pkt_loss",
    "relation_loss",
    "rkd_loss",
    "semantic_loss",
    "sp_loss",
]
