"""DisWOT: the semantic and the relation term together."""

from diswot.scorers._card import Card, register_terms
from diswot.scorers.relation import relation
from diswot.scorers.semantic import semantic

diswot = register_terms(
    Card("diswot", "semantic and relation together", "DisWOT, CVPR 2023, section 3"),
    semantic=semantic,
    relation=relation,
)
