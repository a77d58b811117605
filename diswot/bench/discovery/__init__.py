"""Discovery of scores: formulas over layers that genetic programming evolves from accuracies."""

from diswot.bench.discovery._evolution import EvolutionSettings, evolve
from diswot.bench.discovery._formula import QUANTITIES, Formula
from diswot.bench.discovery._layer_table import LayerTable, measured_table
from diswot.bench.discovery._left_out import BASELINES, LeftOutRow, cross_validated, leave_one_out
from diswot.bench.discovery._run import Discovery, DiscoverySettings, discover

__all__ = [
    "BASELINES",
    "QUANTITIES",
    "Discovery",
    "DiscoverySettings",
    "EvolutionSettings",
    "Formula",
    "LayerTable",
    "LeftOutRow",
    "cross_validated",
    "discover",
    "evolve",
    "leave_one_out",
    "measured_table",
]
