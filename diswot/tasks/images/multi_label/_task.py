"""The task of multi-label image classification."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from diswot.progress import Progress, silent
from diswot.tasks._metric import Metric
from diswot.tasks._packaging import Packaging
from diswot.tasks._task import Dataset
from diswot.tasks.images._task import ImageClassification
from diswot.tasks.images.multi_label._catalog import (
    DATASETS,
    NAMED_DATA,
    check_multi_label,
    load_multi_label,
)
from diswot.tasks.images.multi_label._data import MultiLabelData
from diswot.tasks.images.multi_label._mean_average_precision import MeanAveragePrecision
from diswot.tasks.images.multi_label._options import MultiLabelOptions
from diswot.tasks.images.multi_label._packaging import multi_label_packaging
from diswot.tasks.images.multi_label._prediction import MultiLabelPrediction
from diswot.teachers import Teacher
from search_spaces import Signature


class MultiLabelImages(ImageClassification):
    """Image classification with any number of labels for each image."""

    name = "multi-label"
    summary = "images with any number of labels"
    reads = frozenset(
        {
            "real inputs",
            "outputs",
            "binary logits",
            "label sets",
            "features",
            "feature maps",
            "stages",
            "classifier weights",
        }
    )
    options = MultiLabelOptions
    datasets = DATASETS
    named_data = NAMED_DATA
    data = "digit-sets"
    teacher = "resnet20"
    demonstration = None
    losses = ("bce", "bce-mld")
    outputs = "labels"
    streams = False

    def check(self, data: Any, **options: Any) -> None:
        """Check the name and options of data before anything is read."""
        check_multi_label(data, **options)

    def load(
        self,
        data: Any,
        *,
        root: str | Path | None = None,
        progress: Progress = silent,
        **options: Any,
    ) -> MultiLabelData:
        """Load multi-label images, see `load_multi_label`."""
        return load_multi_label(data, root=root, progress=progress, **options)

    def metrics(self, _signature: Signature) -> tuple[Metric, ...]:
        """Return the mean average precision."""
        return (MeanAveragePrecision(),)

    def packaging(self, signature: Signature, dataset: Dataset | None = None) -> Packaging:
        """Return config and templates of an exported network."""
        return multi_label_packaging(signature, dataset)

    def prediction(
        self, folder: Path, config: Mapping[str, Any], *, top: int = 1
    ) -> MultiLabelPrediction:
        """Return the reader of examples and formatter of predictions of an exported student."""
        return MultiLabelPrediction(folder, config, top=top)

    def upgraded(self, record: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return a record unchanged: version 0.1.0 did not have this task."""
        return record

    def check_trained(
        self,
        teacher: Teacher,  # noqa: ARG002
        network: nn.Module,  # noqa: ARG002
        dataset: Dataset,  # noqa: ARG002
        **options: Any,  # noqa: ARG002
    ) -> str | None:
        """Return `None`: the class order of a teacher is not inferred from its predictions."""
        return None
