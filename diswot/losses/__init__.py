"""Distillation losses: (student outputs, teacher outputs) → a scalar to minimize.

A loss is a function of tensors of compatible shapes; no gradient flows into the teacher's.
Scorers and distillation use the same functions. A term applies a loss to two networks whose
shapes may differ (it pools and projects). A training loss is a weighted sum of terms, written
as an expression such as `ce + 0.9*kd(T=4)`.
"""

from diswot.losses._criterion import Criterion, Losses
from diswot.losses._expression import WeightedTerm
from diswot.losses._maps import FlowTerm, MapTerm
from diswot.losses._objective import (
    PRESETS,
    Objective,
    Preset,
    needs_a_teacher,
    parse_objective,
    register_preset,
)
from diswot.losses._registry import Option, TermSpec, find_term_spec, register, terms
from diswot.losses._term import (
    Card,
    Count,
    LossContext,
    Paths,
    Positive,
    Share,
    Term,
    TrainingBatch,
)
from diswot.losses.ab import ab_loss
from diswot.losses.at import at_loss
from diswot.losses.attention_relations import attention_relation_loss
from diswot.losses.cc import cc_loss
from diswot.losses.ce import ce_loss
from diswot.losses.crd import crd_loss
from diswot.losses.dist import dist_loss
from diswot.losses.diswot import relation_loss, semantic_loss
from diswot.losses.dkd import dkd_loss
from diswot.losses.fitnet import fitnet_loss
from diswot.losses.fsp import fsp_loss
from diswot.losses.ft import ft_loss
from diswot.losses.ickd import ickd_loss
from diswot.losses.kd import kd_loss
from diswot.losses.kd3 import disagreement_weights, kd3_loss
from diswot.losses.kdsvd import kdsvd_loss
from diswot.losses.logit_standardization import standardized_kd_loss
from diswot.losses.nst import nst_loss
from diswot.losses.pkt import pkt_loss
from diswot.losses.reviewkd import reviewkd_loss
from diswot.losses.rkd import rkd_loss
from diswot.losses.sp import sp_loss
from diswot.losses.vid import vid_loss

__all__ = [
    "PRESETS",
    "Card",
    "Count",
    "Criterion",
    "FlowTerm",
    "LossContext",
    "Losses",
    "MapTerm",
    "Objective",
    "Option",
    "Paths",
    "Positive",
    "Preset",
    "Share",
    "Term",
    "TermSpec",
    "TrainingBatch",
    "WeightedTerm",
    "ab_loss",
    "at_loss",
    "attention_relation_loss",
    "cc_loss",
    "ce_loss",
    "crd_loss",
    "disagreement_weights",
    "dist_loss",
    "dkd_loss",
    "find_term_spec",
    "fitnet_loss",
    "fsp_loss",
    "ft_loss",
    "ickd_loss",
    "kd3_loss",
    "kd_loss",
    "kdsvd_loss",
    "needs_a_teacher",
    "nst_loss",
    "parse_objective",
    "pkt_loss",
    "register",
    "register_preset",
    "relation_loss",
    "reviewkd_loss",
    "rkd_loss",
    "semantic_loss",
    "sp_loss",
    "standardized_kd_loss",
    "terms",
    "vid_loss",
]
