"""The fingerprint of a training, by which a checkpoint of another one is refused."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from safetensors.torch import save
from torch import nn

from diswot.errors import RunFolderError
from diswot.tasks import Dataset
from diswot.training._optimization import snapshot
from diswot.training._recipe import Recipe


def fingerprint(
    student: nn.Module,
    settings: Mapping[str, Any],
    data: Dataset,
    recipe: Recipe,
    *,
    views: Mapping[str, str],
) -> dict[str, Any]:
    """Return the fingerprint of a training, as plain values.

    Args:
        student: what is trained.
        settings: of the method.
        data: what it is trained on.
        recipe: how it is trained.
        views: names of the teachers that get their own view of the examples, with what it is.
    """
    shapes = repr([(name, tuple(t.shape)) for name, t in student.state_dict().items()])
    network = f"{type(student).__name__} {_hash(shapes.encode())}"
    return {"network": network, **conditions(settings, data, recipe, views=views)}


def conditions(
    settings: Mapping[str, Any], data: Dataset, recipe: Recipe, *, views: Mapping[str, str]
) -> dict[str, Any]:
    """Return what trainings of any student have in common, as plain values."""
    seen = {"teacher_view": [f"{name}: {view}" for name, view in views.items()]} if views else {}
    return {**settings, **seen, "data": f"{data.name} {data.digest[:16]}", **asdict(recipe)}


def teachers_of(teachers: Mapping[str, nn.Module]) -> dict[str, str]:
    """Return hashes of the weights of teachers, as entries of a fingerprint."""
    if not teachers:
        return {"teacher": "none"}
    return {
        name if name == "teacher" else f"teacher {name}": _hash(save(snapshot(teacher)))
        for name, teacher in teachers.items()
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
                f"{known.get(name)}, but got {of.get(name)}; give the same to resume, or name "
                "another folder"
            )


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
