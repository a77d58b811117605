"""Image classification: datasets, augmentation, batches, and the task."""

from diswot.tasks._accuracy import Top1, accuracy, paired_difference
from diswot.tasks._image_file import fitted, read_image
from diswot.tasks._root import cache_root, data_root
from diswot.tasks.images._augmentation import augmentation
from diswot.tasks.images._catalog import (
    DATASETS,
    GIVEN,
    NAMED_DATA,
    check_data,
    load_data,
    load_resized,
)
from diswot.tasks.images._enlarged import EnlargedImages
from diswot.tasks.images._folder_summary import Look, look_at
from diswot.tasks.images._image_data import ImageData, with_fewer
from diswot.tasks.images._image_spec import ImageSpec
from diswot.tasks.images._labeling import pseudo_labeled
from diswot.tasks.images._mixed_digits import mixed_digits, style_shifted
from diswot.tasks.images._originals import Originals
from diswot.tasks.images._parts import example_digests, part_of
from diswot.tasks.images._pool import MIXED_DIGITS, check_pool, default_pool, with_pool
from diswot.tasks.images._pseudo_labels import (
    PseudoLabeledData,
    is_pseudo_labeled,
    write_pseudo_labeled,
)
from diswot.tasks.images._released import RELEASED
from diswot.tasks.images._split import Split, batches, held_out
from diswot.tasks.images._task import ImageClassification
from diswot.tasks.images._walk import LeftOut, images_in, subfolders

__all__ = [
    "DATASETS",
    "GIVEN",
    "MIXED_DIGITS",
    "NAMED_DATA",
    "RELEASED",
    "EnlargedImages",
    "ImageClassification",
    "ImageData",
    "ImageSpec",
    "LeftOut",
    "Look",
    "Originals",
    "PseudoLabeledData",
    "Split",
    "Top1",
    "accuracy",
    "augmentation",
    "batches",
    "cache_root",
    "check_data",
    "check_pool",
    "data_root",
    "default_pool",
    "example_digests",
    "fitted",
    "held_out",
    "images_in",
    "is_pseudo_labeled",
    "load_data",
    "load_resized",
    "look_at",
    "mixed_digits",
    "paired_difference",
    "part_of",
    "pseudo_labeled",
    "read_image",
    "style_shifted",
    "subfolders",
    "with_fewer",
    "with_pool",
    "write_pseudo_labeled",
]
