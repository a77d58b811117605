"""The fingerprint of a training, with which checkpoints of other trainings are refused."""

import hashlib
from collections.abc import Mapping
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
    """Return the fingerprint of a training, as JSON values.

    Args:
        student: the network, of which class and shapes of the state dict are used.
        settings: settings of the method, such as the loss.
        data: the dataset, of which name and SHA-256 are used.
        recipe: the recipe, all of whose settings are used.
        views: descriptions of the teachers' own views of the examples, by teacher.
    """
    shapes = repr([(name, tuple(t.shape)) for name, t in student.state_dict().items()])
    network = f"{type(student).__name__} {_hash(shapes.encode())}"
    return {"network": network, **conditions(settings, data, recipe, views=views)}


def conditions(
    settings: Mapping[str, Any], data: Dataset, recipe: Recipe, *, views: Mapping[str, str]
) -> dict[str, Any]:
    """Return the fingerprint of a training apart from the student, as JSON values.

    Args:
        settings: settings of the method, such as the loss.
        data: the dataset.
        recipe: the recipe.
        views: descriptions of the teachers' own views of the examples, by teacher.
    """
    seen = {"teacher_view": [f"{name}: {view}" for name, view in views.items()]} if views else {}
    return {**settings, **seen, "data": f"{data.name} {data.digest[:16]}", **recipe.to_json()}


def teachers_of(teachers: Mapping[str, nn.Module]) -> dict[str, str]:
    """Return hashes of the teachers' weights, as entries of a fingerprint."""
    if not teachers:
        return {"teacher": "none"}
    return {
        name if name == "teacher" else f"teacher {name}": _hash(save(snapshot(teacher)))
        for name, teacher in teachers.items()
    }


def check_same(known: Mapping[str, Any], of: Mapping[str, Any], path: Path) -> None:
    """Make sure that two fingerprints agree.

    Args:
        known: the fingerprint in a file.
        of: the fingerprint of this training.
        path: the file, for the message.

    Raises:
        RunFolderError: they differ; the message names the first difference.
    """
    for name in (*of, *known):
        if of.get(name) != known.get(name):
            raise RunFolderError(
                f"{path} belongs to another training: its {name.replace('_', ' ')} is "
                f"{known.get(name)}, but got {of.get(name)}; give the same to resume, or name "
                "another folder"
            )


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
