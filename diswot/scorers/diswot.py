"""DisWOT: the sum of the semantic and the relation similarity."""

from diswot.scorers._card import Card
from diswot.scorers._registry import register_combined
from diswot.scorers.relation import relation
from diswot.scorers.semantic import semantic

diswot = register_combined(
    Card("diswot", "sum of semantic and relation", "DisWOT, CVPR 2023, section 3"),
    "sum",
    semantic,
    relation,
)
