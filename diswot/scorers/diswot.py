"""DisWOT: the semantic and the relation term together."""

from diswot.scorers._card import Card, register_sum

register_sum(
    Card("diswot", "semantic and relation together", "DisWOT, CVPR 2023, section 3"),
    "semantic",
    "relation",
)
