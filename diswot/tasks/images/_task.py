"""The task of image classification."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from torch import nn

from diswot.errors import OptionError
from diswot.options import TEACHER_VIEWS, DataOptions
from diswot.progress import Progress, silent
from diswot.tasks._accuracy import Agreement, Top1
from diswot.tasks._demonstration import Demonstration
from diswot.tasks._metric import Metric
from diswot.tasks._packaging import Packaging
from diswot.tasks._task import Dataset, Task
from diswot.tasks.images._catalog import DATASETS, NAMED_DATA, check_data, load_data
from diswot.tasks.images._image_data import ImageData
from diswot.tasks.images._packaging import packaging
from diswot.tasks.images._prediction import ImagePrediction
from diswot.tasks.images._pseudo_labels import CLASSES_OF
from diswot.tasks.images._released import upgraded
from diswot.teachers import Teacher, TeacherSources
from search_spaces import Signature


class ImageClassification(Task):
    """Image classification with one class per image."""

    name = "images"
    summary = "classification of images"
    noun = "image"
    reads = frozenset(
        {
            "real inputs",
            "outputs",
            "logits",
            "labels",
            "features",
            "feature maps",
            "stages",
            "classifier weights",
        }
    )
    options: type = DataOptions
    datasets = DATASETS
    named_data = NAMED_DATA
    data = "digits"
    teacher = "resnet56"
    space = "s0"
    demonstration: Demonstration | None = Demonstration(
        space="thin", max_params=10_000, trainings=20
    )
    losses: tuple[str, ...] = ("alone", "diswot", "diswot-dagger")
    outputs = "classes"
    teacher_views = TEACHER_VIEWS
    streams = True

    def check(self, data: Any, **options: Any) -> None:
        """Check the name and options of data before anything is read, see `check_data`."""
        check_data(data, **options)

    def load(
        self,
        data: Any,
        *,
        root: str | Path | None = None,
        progress: Progress = silent,
        **options: Any,
    ) -> ImageData:
        """Load image data, see `load_data`."""
        return load_data(data, root=root, progress=progress, **options)

    def metrics(self, signature: Signature) -> tuple[Metric, ...]:
        """Return top-1 accuracy, or the agreement with the teacher for pseudo-labeled data."""
        return (Agreement() if signature.facts.get(CLASSES_OF) == "teacher" else Top1(),)

    def packaging(self, signature: Signature, dataset: Dataset | None = None) -> Packaging:
        """Return config and templates of an exported classifier."""
        return packaging(signature, dataset)

    def prediction(
        self, folder: Path, config: Mapping[str, Any], *, top: int = 1
    ) -> ImagePrediction:
        """Return the reader of examples and formatter of predictions of an exported student."""
        return ImagePrediction(folder, config, top=top)

    def prepared(self, dataset: Dataset, options: Mapping[str, Any]) -> Dataset:
        """Return the data with the options `flips`, `teacher_view` and `loader_workers` applied.

        Raises:
            OptionError: `teacher_view` is `own`, but the data have no image files.
        """
        if not isinstance(dataset, ImageData):
            return dataset
        flips, view = options.get("flips"), options.get("teacher_view")
        if view == "own" and "train" not in dataset.originals:
            raise OptionError(
                f"Expected photos that teachers can have their own view of, but those of "
                f"{dataset.name} are not files: leave --teacher-view out"
            )
        read = {"teacher_view": view, "loader_workers": options.get("loader_workers")}
        changed = {name: value for name, value in read.items() if value is not None}
        if changed:
            known = vars(dataset).get("digest")  # the images do not change, so neither does it
            dataset = replace(dataset, **changed).with_provenance(digest=known)
        return dataset if flips in (None, dataset.flips) else replace(dataset, flips=flips)

    def recorded(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return options for a manifest, with class names instead of a path to their file."""
        from diswot.tasks.images.teachers import as_text

        return {
            name: as_text(value) if name == "teacher_classes" else value
            for name, value in options.items()
        }

    def upgraded(self, record: Mapping[str, Any]) -> Mapping[str, Any]:
        """Convert a record of version 0.1.0 to current names."""
        return upgraded(record)

    @property
    def teacher_sources(self) -> TeacherSources:
        """Built-in teachers, and pretrained ones of libraries."""
        from diswot.tasks.images.teachers import SOURCES

        return SOURCES

    def check_teacher(self, teacher: str | nn.Module | Teacher, **options: Any) -> None:
        """Check the name and options of a teacher before data are loaded."""
        from diswot.tasks.images.teachers import check_teacher

        check_teacher(teacher, **options)

    def find_teacher(
        self, teacher: str | nn.Module | Teacher, dataset: Dataset, **options: Any
    ) -> Teacher:
        """Return a teacher whose outputs are in the order of the data's classes."""
        from diswot.tasks.images.teachers import find_teacher

        images = cast(ImageData, dataset)
        return find_teacher(teacher, images.spec, classes=images.classes, **options)

    def check_trained(
        self, teacher: Teacher, network: nn.Module, dataset: Dataset, **options: Any
    ) -> str | None:
        """Check the class order of a teacher's outputs, and its accuracy on students' images."""
        from diswot.tasks.images.teachers import check_trained

        check = check_trained(teacher, network, cast(ImageData, dataset), **options)
        return None if check is None else check.advice
