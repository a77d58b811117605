"""What can be chosen of trainings."""

OPTIMIZERS = {"sgd": (0.05, 5e-4), "adamw": (1e-3, 0.05)}
"""Optimizers with the learning rate and the weight decay that are their defaults."""

SCHEDULES = ("step", "cosine")
"""How the learning rate can fall."""

AUGMENTATIONS = ("none", "standard", "strong")
"""How images can be varied."""

PRECISIONS = ("single", "bf16", "fp16")
"""What forward and backward passes can be computed in."""
