"""Images without labels, whose classes are the predictions of a teacher."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from diswot.errors import DataError, first_line
from diswot.runs.folder import replace_file
from diswot.tasks._examples import SPLITS
from diswot.tasks.images._image_data import ImageData
from diswot.tasks.images._image_spec import ImageSpec
from diswot.tasks.images._split import Split
from search_spaces import Signature

FILE = "pseudo-labels.safetensors"
"""File of the images and classes in a folder of pseudo-labeled data."""

CLASSES_OF = "classes_of"
"""Fact of a signature: `teacher` if the classes of its data are the predictions of a teacher."""


@dataclass(frozen=True, eq=False)
class PseudoLabeledData(ImageData):
    """Images whose classes are the predictions of a teacher, because they have no labels.

    The first metric of such data is the agreement with the teacher: the fraction of images for
    which student and teacher predict the same class. It is not an accuracy.
    """

    @property
    def signature(self) -> Signature:
        """Signature of classifiers, whose `facts` say that the classes are predictions."""
        known = super().signature
        return replace(known, facts={**known.facts, CLASSES_OF: "teacher"})


def write_pseudo_labeled(data: PseudoLabeledData, folder: Path) -> None:
    """Write pseudo-labeled data into a folder, which then is a valid value of `data`.

    Args:
        data: the data.
        folder: an existing folder.
    """
    tensors = {
        f"{split}_{part}": getattr(data.split(split), part).contiguous()
        for split in SPLITS
        for part in ("images", "labels")
    }
    facts = {"name": data.name, "spec": asdict(data.spec), "classes": data.classes}
    content = save(tensors, {"data": json.dumps(facts)})
    replace_file(folder / FILE, lambda path: path.write_bytes(content))


def is_pseudo_labeled(data: Any) -> bool:
    """Return whether data are pseudo-labeled, or are a folder of such data."""
    if isinstance(data, str | Path):
        return (Path(data).expanduser() / FILE).is_file()
    return isinstance(data, PseudoLabeledData)


def read_pseudo_labeled(folder: Path) -> PseudoLabeledData:
    """Read a folder that `write_pseudo_labeled` wrote.

    Raises:
        DataError: the file is damaged.
    """
    path = folder / FILE
    try:
        with safe_open(path, framework="pt") as file:
            facts = json.loads(file.metadata()["data"])
            train, val, test = (_read_split(file, split) for split in SPLITS)
        spec, classes = ImageSpec.from_json(facts["spec"]), tuple(map(str, facts["classes"]))
        _check(spec, classes, {"train": train, "val": val, "test": test})
        return PseudoLabeledData(str(facts["name"]), train, val, test, spec, classes=classes)
    except (OSError, SafetensorError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{path} is damaged ({first_line(error)}): write it again with `diswot teacher label`"
        ) from error


def _read_split(file: Any, split: str) -> Split:
    return Split(file.get_tensor(f"{split}_images"), file.get_tensor(f"{split}_labels"))


def _check(spec: ImageSpec, classes: Sequence[str], splits: Mapping[str, Split]) -> None:
    """Make sure that the parts of a file fit together.

    Raises:
        ValueError: they do not.
    """
    if len(classes) != spec.num_classes:
        raise ValueError(f"{len(classes)} names of {spec.num_classes} classes")
    for name, split in splits.items():
        images, labels = split.images, split.labels
        if images.dtype != torch.uint8 or tuple(images.shape[1:]) != spec.shape:
            raise ValueError(f"{name} images of {tuple(images.shape[1:])} and {images.dtype}")
        if labels.dtype != torch.long or labels.shape != images.shape[:1] or not len(labels):
            raise ValueError(f"{name} classes of {tuple(labels.shape)} and {labels.dtype}")
        if not 0 <= int(labels.min()) <= int(labels.max()) < len(classes):
            raise ValueError(f"{name} classes out of range")
