"""Classification of images as a task."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from torch import nn

from diswot.errors import OptionError
from diswot.options import TEACHER_VIEWS, DataOptions
from diswot.progress import Progress, silent
from diswot.tasks._packaging import Packaging
from diswot.tasks._task import Dataset, Task
from diswot.tasks.images._catalog import DATASETS, NAMED_DATA, check_data, load_data
from diswot.tasks.images._image_data import ImageData
from diswot.tasks.images._packaging import packaging
from diswot.tasks.images._prediction import ImagePrediction
from diswot.tasks.images._released import upgraded
from diswot.teachers import Teacher, TeacherSources
from search_spaces import Signature


class ImageClassification(Task):
    """Images in, one of several classes out."""

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
    options = DataOptions
    datasets = DATASETS
    named_data = NAMED_DATA
    data = "digits"
    teacher = "resnet56"
    space = "s0"
    losses = ("alone", "diswot", "diswot-dagger")
    outputs = "classes"
    teacher_views = TEACHER_VIEWS
    streams = True

    def check(self, data: Any, **options: Any) -> None:
        """Check a name before anything is read, see `check_data`."""
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

    def packaging(self, signature: Signature, dataset: Dataset | None = None) -> Packaging:
        """Return how photos become what the student takes, and what its outputs mean."""
        return packaging(signature, dataset)

    def prediction(
        self, folder: Path, config: Mapping[str, Any], *, top: int = 1
    ) -> ImagePrediction:
        """Return what reads users' examples for an exported student, and names its answers."""
        return ImagePrediction(folder, config, top=top)

    def prepared(self, dataset: Dataset, options: Mapping[str, Any]) -> Dataset:
        """Return the images with what options say of them, such as `flips`, where they do.

        Raises:
            OptionError: teachers are to see photos that are no files.
        """
        if not isinstance(dataset, ImageData):
            return dataset
        flips, view = options.get("flips"), options.get("teacher_view")
        if view == "own" and "train" not in dataset.originals:
            raise OptionError(
                f"Expected photos that teachers can have their own view of, but those of "
                f"{dataset.name} are no files: leave --teacher-view out"
            )
        read = {"teacher_view": view, "loader_workers": options.get("loader_workers")}
        changed = {name: value for name, value in read.items() if value is not None}
        if changed:
            known = vars(dataset).get("digest")  # that of the images, which stay the same
            dataset = replace(dataset, **changed).with_provenance(digest=known)
        return dataset if flips in (None, dataset.flips) else replace(dataset, flips=flips)

    def recorded(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return options as manifests keep them: names of classes in place of their file."""
        from diswot.tasks.images.teachers import as_text

        return {
            name: as_text(value) if name == "teacher_classes" else value
            for name, value in options.items()
        }

    def upgraded(self, record: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return a record of version 0.1.0 with its signature and measures as today's."""
        return upgraded(record)

    @property
    def teacher_sources(self) -> TeacherSources:
        """Built-in networks, and those of libraries with their weights."""
        from diswot.tasks.images.teachers import SOURCES

        return SOURCES

    def check_teacher(self, teacher: str | nn.Module | Teacher, **options: Any) -> None:
        """Check a teacher before there are data for it."""
        from diswot.tasks.images.teachers import check_teacher

        check_teacher(teacher, **options)

    def find_teacher(
        self, teacher: str | nn.Module | Teacher, dataset: Dataset, **options: Any
    ) -> Teacher:
        """Return the teacher that is meant, its outputs in the order of the data's classes."""
        from diswot.tasks.images.teachers import find_teacher

        images = cast(ImageData, dataset)
        return find_teacher(teacher, images.spec, classes=images.classes, **options)

    def check_trained(
        self, teacher: Teacher, network: nn.Module, dataset: Dataset, **options: Any
    ) -> str | None:
        """Check the order of a teacher's outputs, and what it loses in the students' images."""
        from diswot.tasks.images.teachers import check_trained

        check = check_trained(teacher, network, cast(ImageData, dataset), **options)
        return None if check is None else check.advice
