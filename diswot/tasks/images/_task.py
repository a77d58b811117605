"""Classification of images as a task."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from diswot.progress import Progress, silent
from diswot.tasks._dataset import Dataset
from diswot.tasks._task import Task
from diswot.tasks.images._catalogue import check_data, load_data
from diswot.tasks.images._image_data import ImageData


class ImageClassification(Task):
    """Images in, one of several classes out."""

    name = "images"
    summary = "classification of images"
    reads = frozenset(
        {"logits", "labels", "features", "feature maps", "stages", "classifier weights"}
    )
    data = "digits"
    teacher = "resnet56"
    space = "s0"
    losses = ("alone", "diswot", "diswot-dagger")

    def check(self, data: Any, **options: Any) -> None:
        """Raise what can be said of a name before anything is read, see `check_data`."""
        check_data(data, **options)

    def load(
        self,
        data: Any,
        *,
        root: str | Path | None = None,
        progress: Progress = silent,
        **options: Any,
    ) -> ImageData:
        """Return the images that are meant, see `load_data`."""
        return load_data(data, root=root, progress=progress, **options)

    def prepared(self, dataset: Dataset, options: Mapping[str, Any]) -> Dataset:
        """Return the images with `flips` as an option says, where it says something."""
        flips = options.get("flips")
        if not isinstance(dataset, ImageData) or flips in (None, dataset.flips):
            return dataset
        return replace(dataset, flips=flips)
