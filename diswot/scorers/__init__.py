"""Scorers: (untrained student, teacher) → a number, higher is better."""

from diswot.options import COMBINATIONS, Combination
from diswot.scorers._card import Card, CostTerm, Scorer, Term
from diswot.scorers._formula import Formula, combine
from diswot.scorers._registry import all_terms, find_scorer, register, register_cost, scorers
from diswot.scorers.activation_distance import activation_distance
from diswot.scorers.attention_relations import attention_relations, attention_relations_raw
from diswot.scorers.az_expressivity import az_expressivity
from diswot.scorers.az_nas import az_nas
from diswot.scorers.az_progressivity import az_progressivity
from diswot.scorers.az_trainability import az_trainability
from diswot.scorers.confidence import attention_confidence, head_confidence
from diswot.scorers.diswot import diswot
from diswot.scorers.epe_nas import epe_nas
from diswot.scorers.fc_weights import fc_weights
from diswot.scorers.filled_width import filled_width
from diswot.scorers.fisher import fisher
from diswot.scorers.flops import flops
from diswot.scorers.grad_norm import grad_norm
from diswot.scorers.gradsign import gradsign
from diswot.scorers.grasp import grasp
from diswot.scorers.jacov import jacov
from diswot.scorers.kd_losses import (
    at,
    cc,
    fitnet,
    fsp,
    ickd,
    kd,
    kdsvd,
    nst,
    pkt,
    rkd,
    sp,
)
from diswot.scorers.l2_norm import l2_norm
from diswot.scorers.meco import meco
from diswot.scorers.null import null
from diswot.scorers.nwot import nwot
from diswot.scorers.params import params
from diswot.scorers.plain import plain
from diswot.scorers.relation import relation
from diswot.scorers.relation_gram import relation_gram
from diswot.scorers.root_size import root_size
from diswot.scorers.semantic import semantic
from diswot.scorers.semantic_grad import semantic_grad
from diswot.scorers.size_ln import size_ln
from diswot.scorers.snip import snip
from diswot.scorers.student_fit import layer_quantities, student_fit
from diswot.scorers.student_fit_1 import student_fit_1
from diswot.scorers.swap import swap
from diswot.scorers.swap_reg import swap_reg
from diswot.scorers.synaptic import synaptic_diversity, synaptic_saliency
from diswot.scorers.synflow import synflow
from diswot.scorers.teacher_alignment import teacher_alignment
from diswot.scorers.trainable_layers import trainable_layers
from diswot.scorers.vkdnw import vkdnw
from diswot.scorers.vkdnw_agg import vkdnw_agg
from diswot.scorers.zen import zen
from diswot.scorers.zico import zico

__all__ = [
    "COMBINATIONS",
    "Card",
    "Combination",
    "CostTerm",
    "Formula",
    "Scorer",
    "Term",
    "activation_distance",
    "all_terms",
    "at",
    "attention_confidence",
    "attention_relations",
    "attention_relations_raw",
    "az_expressivity",
    "az_nas",
    "az_progressivity",
    "az_trainability",
    "cc",
    "combine",
    "diswot",
    "epe_nas",
    "fc_weights",
    "filled_width",
    "find_scorer",
    "fisher",
    "fitnet",
    "flops",
    "fsp",
    "grad_norm",
    "gradsign",
    "grasp",
    "head_confidence",
    "ickd",
    "jacov",
    "kd",
    "kdsvd",
    "l2_norm",
    "layer_quantities",
    "meco",
    "nst",
    "null",
    "nwot",
    "params",
    "pkt",
    "plain",
    "register",
    "register_cost",
    "relation",
    "relation_gram",
    "rkd",
    "root_size",
    "scorers",
    "semantic",
    "semantic_grad",
    "size_ln",
    "snip",
    "sp",
    "student_fit",
    "student_fit_1",
    "swap",
    "swap_reg",
    "synaptic_diversity",
    "synaptic_saliency",
    "synflow",
    "teacher_alignment",
    "trainable_layers",
    "vkdnw",
    "vkdnw_agg",
    "zen",
    "zico",
]
