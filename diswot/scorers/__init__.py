"""Scorers: (student, teacher) → a number before any training, higher is better."""

from diswot.scorers._card import Card, Scorer, Term, find_scorer, register, scorers
from diswot.scorers.diswot import diswot
from diswot.scorers.relation import relation
from diswot.scorers.relation_gram import relation_gram
from diswot.scorers.semantic import semantic
from diswot.scorers.semantic_grad import semantic_grad

__all__ = [
    "Card",
    "Scorer",
    "Term",
    "diswot",
    "find_scorer",
    "register",
    "relation",
    "relation_gram",
    "scorers",
    "semantic",
    "semantic_grad",
]
