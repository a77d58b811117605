"""Read outputs, features and feature maps of any network with forward hooks."""

from diswot.networks._activations import Activations, ForwardPass, Watch
from diswot.networks._feature_maps import as_map, is_map
from diswot.networks._modes import kept_modes, scoring_mode
from diswot.networks._reader import ActivationReader
from diswot.networks._trial import backward_of, trial_pass
from diswot.networks._wrapped import inner, named, unwrapped

__all__ = [
    "ActivationReader",
    "Activations",
    "ForwardPass",
    "Watch",
    "as_map",
    "backward_of",
    "inner",
    "is_map",
    "kept_modes",
    "named",
    "scoring_mode",
    "trial_pass",
    "unwrapped",
]
