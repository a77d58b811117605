"""Image classification with any number of labels for each image."""

from diswot.tasks.images.multi_label._annotations import Annotation, Annotations, read_annotations
from diswot.tasks.images.multi_label._catalog import (
    DATASETS,
    check_multi_label,
    from_datasets,
    load_multi_label,
)
from diswot.tasks.images.multi_label._data import MultiLabelData
from diswot.tasks.images.multi_label._mean_average_precision import MeanAveragePrecision
from diswot.tasks.images.multi_label._prediction import THRESHOLD
from diswot.tasks.images.multi_label._stratified import held_out_of
from diswot.tasks.images.multi_label._task import MultiLabelImages
from diswot.tasks.images.multi_label._terms import bce_loss, mld_loss

__all__ = [
    "DATASETS",
    "THRESHOLD",
    "Annotation",
    "Annotations",
    "MeanAveragePrecision",
    "MultiLabelData",
    "MultiLabelImages",
    "bce_loss",
    "check_multi_label",
    "from_datasets",
    "held_out_of",
    "load_multi_label",
    "mld_loss",
    "read_annotations",
]
