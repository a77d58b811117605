"""What a training is one of, so that a checkpoint of another is known."""

import hashlib
from dataclasses import asdict
from typing import Any

from safetensors.torch import save
from torch import nn

from diswot.data import ImageData
from diswot.distillation._optimisation import snapshot
from diswot.distillation._recipe import Recipe
from diswot.distillation.losses import Objective


def identity(
    network: nn.Module,
    data: ImageData,
    objective: Objective,
    recipe: Recipe,
    teacher: nn.Module | None,
) -> dict[str, Any]:
    """Return what a training is one of, as plain values."""
    shapes = repr([(name, tuple(t.shape)) for name, t in network.state_dict().items()])
    return {
        "loss": objective.text,
        "network": f"{type(network).__name__} {_hash(shapes.encode())}",
        "data": f"{data.name} {data.digest[:16]}",
        "teacher": "none" if teacher is None else _hash(save(snapshot(teacher))),
        **asdict(recipe),
    }


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
