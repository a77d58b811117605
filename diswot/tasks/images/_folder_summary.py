"""A quick look at a folder of photos, for `diswot init`."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from statistics import median_low

from diswot.errors import DataError
from diswot.tasks._image_file import Header, read_header
from diswot.tasks.images._listing import list_folder

SIZES = (32, 64, 128, 224)
"""Common heights and widths of resized images."""

_LOOKED_AT = 200


@dataclass(frozen=True)
class Look:
    """Properties of a folder of photos.

    Attributes:
        classes: names of the classes.
        counts: split → number of images.
        smallest: the class with the fewest training images, and their number.
        largest: the class with the most training images, and their number.
        side: median of the shorter sides, in pixels.
        gray: whether no image has colors.
        notes: what was inferred or left out, as text.
    """

    classes: tuple[str, ...]
    counts: dict[str, int]
    smallest: tuple[str, int]
    largest: tuple[str, int]
    side: int
    gray: bool
    notes: tuple[str, ...]

    @property
    def image_size(self) -> int:
        """The largest of `SIZES` that does not exceed `side`."""
        return max((size for size in SIZES if size <= self.side), default=SIZES[0])


def look_at(folder: str | Path) -> Look:
    """Return properties of a folder of photos, from its list of files and up to 200 headers.

    Raises:
        DataError: it is not a folder of class folders with photos, or no photo can be read.
    """
    listing = list_folder(Path(folder))
    files = listing.splits["train"]
    per_class = Counter(file.label for file in files).most_common()
    headers = _headers([file.path for file in files[:: -(-len(files) // _LOOKED_AT)]])
    if not headers:
        raise DataError(f"no photo of {folder} can be read: convert them to JPEG or PNG")
    (most, many), (least, few) = per_class[0], per_class[-1]
    return Look(
        listing.classes,
        {split: len(found) for split, found in listing.splits.items()},
        (listing.classes[least], few),
        (listing.classes[most], many),
        median_low(min(header.height, header.width) for header in headers),
        all(header.gray for header in headers),
        listing.notes,
    )


def _headers(paths: list[Path]) -> list[Header]:
    results = []
    for path in paths:
        try:
            results.append(read_header(path))
        except Exception:  # noqa: BLE001, S112  (a damaged image can raise anything; loading names it)
            continue
    return results
