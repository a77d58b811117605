"""Distillation losses: what a student shows and what a teacher shows → a number to minimise.

Each is a function of tensors that match already; no gradient flows into the teacher's.
Scorers and distillation use the same. Over it is a term, which reads two networks that need
not match; a training loss is a weighted sum of terms, written as an expression.
"""

from diswot.distillation.losses._criterion import Criterion, Losses
from diswot.distillation.losses._expression import Part
from diswot.distillation.losses._maps import FlowTerm, MapTerm
from diswot.distillation.losses._objective import PRESETS, Objective, Preset, parse_objective
from diswot.distillation.losses._registry import Kind, Option, find_kind, register, terms
from diswot.distillation.losses._term import (
    Card,
    Count,
    Paths,
    Positive,
    Setting,
    Share,
    Term,
    TrainingBatch,
)
from diswot.distillation.losses.ab import ab_loss
from diswot.distillation.losses.at import at_loss
from diswot.distillation.losses.cc import cc_loss
from diswot.distillation.losses.ce import ce_loss
from diswot.distillation.losses.crd import crd_loss
from diswot.distillation.losses.dist import dist_loss
from diswot.distillation.losses.diswot import relation_loss, semantic_loss
from diswot.distillation.losses.dkd import dkd_loss
from diswot.distillation.losses.fitnet import fitnet_loss
from diswot.distillation.losses.fsp import fsp_loss
from diswot.distillation.losses.ft import ft_loss
from diswot.distillation.losses.ickd import ickd_loss
from diswot.distillation.losses.kd import kd_loss
from diswot.distillation.losses.kdsvd import kdsvd_loss
from diswot.distillation.losses.logit_standardisation import standardised_kd_loss
from diswot.distillation.losses.nst import nst_loss
from diswot.distillation.losses.pkt import pkt_loss
from diswot.distillation.losses.reviewkd import reviewkd_loss
from diswot.distillation.losses.rkd import rkd_loss
from diswot.distillation.losses.sp import sp_loss
from diswot.distillation.losses.vid import vid_loss

__all__ = [
    "PRESETS",
    "Card",
    "Count",
    "Criterion",
    "FlowTerm",
    "Kind",
    "Losses",
    "MapTerm",
    "Objective",
    "Option",
    "Part",
    "Paths",
    "Positive",
    "Preset",
    "Setting",
    "Share",
    "Term",
    "TrainingBatch",
    "ab_loss",
    "at_loss",
    "cc_loss",
    "ce_loss",
    "crd_loss",
    "dist_loss",
    "dkd_loss",
    "find_kind",
    "fitnet_loss",
    "fsp_loss",
    "ft_loss",
    "ickd_loss",
    "kd_loss",
    "kdsvd_loss",
    "nst_loss",
    "parse_objective",
    "pkt_loss",
    "register",
    "relation_loss",
    "reviewkd_loss",
    "rkd_loss",
    "semantic_loss",
    "sp_loss",
    "standardised_kd_loss",
    "terms",
    "vid_loss",
]
