"""Names → datasets → batches."""

from diswot.tasks.images._catalogue import DATASETS, GIVEN, NAMED_DATA, check_data, load_data
from diswot.tasks.images._image_data import ImageData, ImageSpec, Source, Split, batches, held_out
from diswot.tasks.images._originals import Originals
from diswot.tasks.images._picture import fitted, read_picture
from diswot.tasks.images._root import cache_root, data_root

__all__ = [
    "DATASETS",
    "GIVEN",
    "NAMED_DATA",
    "ImageData",
    "ImageSpec",
    "Originals",
    "Source",
    "Split",
    "batches",
    "cache_root",
    "check_data",
    "data_root",
    "fitted",
    "held_out",
    "load_data",
    "read_picture",
]
