"""The task of landmark regression."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from diswot.errors import OptionError
from diswot.progress import Progress, silent
from diswot.tasks._examples import Changes
from diswot.tasks._metric import Metric
from diswot.tasks._packaging import Packaging
from diswot.tasks._task import Dataset, Task
from diswot.tasks.landmarks._batches import check_changes
from diswot.tasks.landmarks._catalog import DATASETS, NAMED_DATA, check_landmarks, load_landmarks
from diswot.tasks.landmarks._landmark_data import TEACHERS, LandmarkData
from diswot.tasks.landmarks._nme import NME
from diswot.tasks.landmarks._options import LandmarkOptions
from diswot.tasks.landmarks._packaging import packaging
from diswot.tasks.landmarks._prediction import LandmarkPrediction
from diswot.tasks.landmarks._teachers import SOURCES
from diswot.teachers import TeacherSources
from search_spaces import Signature


class Landmarks(Task):
    """Regression of the coordinates of K points in images."""

    name = "landmarks"
    summary = "regression of points in images"
    noun = "image"
    reads = frozenset({"real inputs", "outputs", "targets", "features", "feature maps", "stages"})
    options = LandmarkOptions
    datasets = DATASETS
    named_data = NAMED_DATA
    data = "digit-outlines"
    teacher = "mobile-medium"
    space = "mobile-small"
    losses = ("l2", "kd-loss")
    outputs = "coordinates"
    teachers = TEACHERS

    def check(self, data: Any, **options: Any) -> None:
        """Check the name and options of data before anything is read, see `check_landmarks`."""
        check_landmarks(data, **options)

    def load(
        self,
        data: Any,
        *,
        root: str | Path | None = None,
        progress: Progress = silent,
        **options: Any,
    ) -> LandmarkData:
        """Load landmark data, see `load_landmarks`."""
        return load_landmarks(data, root=root, progress=progress, **options)

    def metrics(self, signature: Signature) -> tuple[Metric, ...]:
        """Return the normalized mean error, by the normalizer in the facts of the data.

        Raises:
            KeyError: the facts have no known normalizer.
        """
        _, height, width = cast(tuple[int, int, int], signature.inputs[0].shape)
        return (NME(signature.facts["normalizer"], width, height),)

    def packaging(self, signature: Signature, dataset: Dataset | None = None) -> Packaging:
        """Return config and templates of an exported network."""
        return packaging(signature, dataset)

    def prediction(
        self, folder: Path, config: Mapping[str, Any], *, top: int = 1
    ) -> LandmarkPrediction:
        """Return the reader of examples and formatter of predictions of an exported student."""
        return LandmarkPrediction(folder, config, top=top)

    def recipe(self, dataset: Dataset) -> Mapping[str, Any]:
        """Return AdamW with a learning rate of 0.01; no augmentation if points are bound to rows.

        Gradients of squared coordinates are too small for the learning rates of classifiers;
        wide networks diverge in the first steps without a warm-up.
        """
        results = {"optimizer": "adamw", "learning_rate": 0.01, "warmup_epochs": 0.5}
        rows = isinstance(dataset, LandmarkData) and dataset.rows
        return {**results, "augment": "none"} if rows else results

    def check_changes(self, changes: Changes) -> None:
        """Raise for label smoothing, mixup and CutMix, which need classes."""
        check_changes(changes)

    @property
    def teacher_sources(self) -> TeacherSources:
        """Built-in teachers: networks like MobileNetV2."""
        return SOURCES

    def prepared(self, dataset: Dataset, options: Mapping[str, Any]) -> Dataset:
        """Return the data with the option `flips` applied.

        Raises:
            OptionError: `flips` is set, but the points' counterparts in flipped images are unknown.
        """
        flips = options.get("flips")
        if not isinstance(dataset, LandmarkData) or flips is None:
            return dataset
        if flips and dataset.mirror is None:
            raise OptionError(
                f"{dataset.name} cannot be flipped, because the counterparts of its points in "
                "flipped images are unknown: leave flips out"
            )
        return dataset if flips else replace(dataset, mirror=None)
