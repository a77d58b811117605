"""Distillation on web images as a method of `run`."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, cast

import torch

from diswot.errors import NetworkError, OptionError, TeacherError
from diswot.latency import is_measured
from diswot.methods._run_method import RunMethod, Workshop
from diswot.methods._unlabeled import check_scorer
from diswot.methods.web_images._options import WebImagesOptions
from diswot.methods.web_images._source import SharedStudents
from diswot.methods.web_images._training import WebImagesMethod
from diswot.networks.shared_classifier import read_classifier
from diswot.progress import Progress, silent
from diswot.students import StudentSource
from diswot.tasks import Dataset, Task
from diswot.tasks.images import ImageData, check_pool, default_pool, is_pseudo_labeled, with_pool
from diswot.training import MakeMethod

SHARED, OWN = "kd3", "kd(T=4)"
"""Losses of students with the teacher's classifier, and with their own."""

BATCH = 64
"""Default training batch size."""

EXAMPLES = 4
"""Batch size of the forward pass in which the teacher's classifier is found."""


class WebImagesRun(RunMethod):
    """Distills students on a pool of unlabeled images, for example collected from the web.

    Neither search nor trainings read training images of the dataset; candidates are scored on
    the pool. The validation split selects epochs and the student, and the test split measures
    them. A teacher without weights is trained on the training split first, as in other runs.

    Source: KD³ (Tang et al., ICCV 2023).
    """

    name = "web-images"
    summary = "students that are distilled on unlabeled images of another origin, such as the web"
    options = WebImagesOptions
    defaults: Mapping[str, Any] = {"train_batch_size": BATCH}
    needs_teacher = True

    def check(self, task: Task, options: Mapping[str, Any]) -> None:
        """Make sure that the task classifies images and that there is a pool.

        Raises:
            OptionError: there are no images or classes, no pool, or the score reads labels.
            DataError: the pool cannot be read, or has fewer images than a batch.
        """
        if task.name != "images":
            raise OptionError(
                "the method web-images trains classifiers on images, which networks of the task "
                f"{task.name} are not: use --task images, or leave --method out"
            )
        latency = options.get("latency")
        recorded = latency is not None and not is_measured(latency)
        if recorded and options.get("share_classifier", True):
            raise OptionError(
                f"the latencies in {latency} are those of students with their own classifiers: "
                "measure them (--latency eager), or leave the students theirs "
                "(--no-share-classifier)"
            )
        _check_pool(options.get("data") or task.data, options)
        check_scorer(self.name, options)

    def recorded(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return options for the manifest, with an absolute path of the pool."""
        pool = options["pool"]
        if pool is None or not Path(pool).expanduser().is_dir():
            return dict(options)
        return {**options, "pool": str(Path(pool).expanduser().absolute())}

    def searched(self, data: Dataset, options: Mapping[str, Any]) -> Dataset:
        """Return the data with the pool as training split."""
        return _pooled(data, options["pool"])

    def losses(self, _task: Task, options: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the loss of students with the teacher's classifier, or with their own."""
        return (SHARED,) if options["share_classifier"] else (OWN,)

    def training(self, options: Mapping[str, Any]) -> MakeMethod:
        """Return what makes the training of a student on the pool."""
        pooled = partial(_pooled, pool=options["pool"])
        return partial(WebImagesMethod, options=options, with_pool=pooled)

    def source(self, workshop: Workshop) -> StudentSource:
        """Return students with the teacher's classifier, or with their own.

        Raises:
            TeacherError: the teacher has no linear classifier that students can share.
        """
        data = workshop.data
        _pooled(data, workshop.options["pool"], progress=workshop.progress)
        if not workshop.options["share_classifier"]:
            return super().source(workshop)
        source = workshop.teacher()
        network = (source.weights or source.build)().eval()
        inputs = data.batch("val", torch.arange(min(EXAMPLES, data.size("val")))).inputs
        try:
            shape, weights = read_classifier(network, *inputs)
        except NetworkError as error:
            raise TeacherError(f"{error} (--no-share-classifier)") from error
        return SharedStudents(workshop.space, data.signature, shape, weights)


def _check_pool(data: object, options: Mapping[str, Any]) -> None:
    """Check the pool of a run before anything is read.

    Raises:
        OptionError: there is no pool, or there are two.
        DataError: the pool cannot be read, or has fewer images than a batch.
    """
    pool = options.get("pool") or default_pool(data)
    if is_pseudo_labeled(data):
        if pool is not None:
            raise OptionError(
                f"the data have the images of a pool that students are trained on, but got --pool "
                f"{pool} too, which may have their test images: leave --pool out"
            )
        return
    if pool is None:
        raise OptionError(
            "the method web-images needs unlabeled images: name a folder or a dataset (--pool)"
        )
    check_pool(pool, least=options.get("train_batch_size") or BATCH)


def _pooled(
    data: Dataset,
    pool: str | Path | None,
    *,
    least: int = BATCH,
    progress: Progress = silent,
) -> Dataset:
    """Return the data with a pool as training split, which pseudo-labeled data have."""
    if is_pseudo_labeled(data):
        return data
    root = None if data.source is None else data.source.root
    chosen = pool or default_pool(data)
    return with_pool(cast(ImageData, data), chosen, root=root, least=least, progress=progress)
