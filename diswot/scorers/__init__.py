"""Scorers: (student, teacher) → a number before any training, higher is better."""

from diswot.scorers._card import Card, CostTerm, Scorer, Term
from diswot.scorers._formula import COMBINATIONS, Combination, Formula, combine
from diswot.scorers._registry import all_terms, find_scorer, register, register_cost, scorers
from diswot.scorers.diswot import diswot
from diswot.scorers.flops import flops
from diswot.scorers.nwot import nwot
from diswot.scorers.params import params
from diswot.scorers.relation import relation
from diswot.scorers.relation_gram import relation_gram
from diswot.scorers.semantic import semantic
from diswot.scorers.semantic_grad import semantic_grad
from diswot.scorers.snip import snip

__all__ = [
    "COMBINATIONS",
    "Card",
    "Combination",
    "CostTerm",
    "Formula",
    "Scorer",
    "Term",
    "all_terms",
    "combine",
    "diswot",
    "find_scorer",
    "flops",
    "nwot",
    "params",
    "register",
    "register_cost",
    "relation",
    "relation_gram",
    "scorers",
    "semantic",
    "semantic_grad",
    "snip",
]
