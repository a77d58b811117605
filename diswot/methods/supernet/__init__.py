"""Students cut out of supernets (AutoDistil)."""

from diswot.methods.supernet._initialization import start_from
from diswot.methods.supernet._objective import HiddenTokens, Objective, Relations, objective_of
from diswot.methods.supernet._options import SupernetOptions
from diswot.methods.supernet._run import SupernetRun, train_supernets
from diswot.methods.supernet._slicing import extract, run_sliced, tie, views
from diswot.methods.supernet._source import Sliced, Supernet
from diswot.methods.supernet._training import HeldOutLoss, SupernetMethod

__all__ = [
    "HeldOutLoss",
    "HiddenTokens",
    "Objective",
    "Relations",
    "Sliced",
    "Supernet",
    "SupernetMethod",
    "SupernetOptions",
    "SupernetRun",
    "extract",
    "objective_of",
    "run_sliced",
    "start_from",
    "tie",
    "train_supernets",
    "views",
]
