"""The headers of a folder's images, and the shape inferred from them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from diswot.errors import DataError
from diswot.progress import Progress
from diswot.tasks import SPLITS
from diswot.tasks._image_file import depth_of, read_header
from diswot.tasks._names import named
from diswot.tasks.images._conversion import conversions, inferred_shape
from diswot.tasks.images._listing import ImageFile, Listing
from diswot.tasks.images._reading import Reading


@dataclass(frozen=True)
class FolderHeaders:
    """A listing with what was inferred from all image headers.

    Attributes:
        listing: the list of files.
        reading: reader of the files, with the unreadable ones.
        shape: channels, height and width to which images are converted.
        depth: number of used bits of gray images with more than 8 bits.
        notes: how these were inferred and what is converted, as text.
    """

    listing: Listing
    reading: Reading
    shape: tuple[int, int, int]
    depth: int
    notes: tuple[str, ...]

    @property
    def entries(self) -> list[tuple[str, ImageFile]]:
        """All images with their splits, in the order in which they are read."""
        return entries_of(self.listing)

    def all_notes(self) -> list[str]:
        """Return the notes, including one on unreadable images if there are any."""
        left, reasons = self.reading.unreadable, self.reading.reasons
        unreadable = [f"unreadable images left out, {len(left)}: {reasons}"] if left else []
        return [*self.notes, *unreadable]

    def check_left(self, labels: Mapping[str, Sequence[int]]) -> None:
        """Check that enough images can be read.

        Args:
            labels: split → classes of the readable images.

        Raises:
            DataError: a split, or a class of the training split, has no readable images.
        """
        root, classes = self.listing.root, self.listing.classes
        for split in SPLITS:
            if not labels[split]:
                raise DataError(f"no {split} image in {root} can be read: fix or replace them")
        if lost := sorted(set(range(len(classes))) - set(labels["train"])):
            raise DataError(
                f"no training image of {named([classes[label] for label in lost])} in "
                f"{root} can be read: fix them, or remove the class"
            )


def entries_of(listing: Listing) -> list[tuple[str, ImageFile]]:
    """Return (split, image file) for all images, split by split."""
    return [(split, image) for split in SPLITS for image in listing.splits[split]]


def read_headers(listing: Listing, image_size: int | None, progress: Progress) -> FolderHeaders:
    """Read the headers of all images, and infer their common shape.

    Raises:
        DataError: too many images are unreadable.
    """
    reading = Reading(listing.root, [image.path for _, image in entries_of(listing)])
    known = [item for item in reading.each(read_header, stage="look", progress=progress) if item]
    shape, inferred = inferred_shape(known, image_size)
    depth = depth_of(known)
    return FolderHeaders(
        listing, reading, shape, depth, (inferred, *conversions(known, shape, depth))
    )
