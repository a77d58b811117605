"""What a training is one of, so that a checkpoint of another is known."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from safetensors.torch import save
from torch import nn

from diswot.errors import RunFolderError
from diswot.losses import Objective
from diswot.tasks.images import ImageData
from diswot.training._optimisation import snapshot
from diswot.training._recipe import Recipe


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
        "network": f"{type(network).__name__} {_hash(shapes.encode())}",
        **conditions(data, objective, recipe, teacher),
    }


def conditions(
    data: ImageData, objective: Objective, recipe: Recipe, teacher: nn.Module | None
) -> dict[str, Any]:
    """Return what trainings of any network are alike in, as plain values."""
    taught_by = teacher if objective.needs_teacher else None
    return {
        "loss": objective.text,
        "data": f"{data.name} {data.digest[:16]}",
        "teacher": "none" if taught_by is None else _hash(save(snapshot(taught_by))),
        **asdict(recipe),
    }


def check_same(known: Mapping[str, Any], of: Mapping[str, Any], path: Path) -> None:
    """Make sure that a file is of this training.

    Raises:
        RunFolderError: it is of another; says what differs.
    """
    for name in (*of, *known):
        if of.get(name) != known.get(name):
            raise RunFolderError(
                f"{path} is of another training: its {name.replace('_', ' ')} is "
                f"{known.get(name)}, but got {of.get(name)}; give the same to go on, or name "
                "another folder"
            )


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
