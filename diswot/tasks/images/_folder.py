"""A folder of images: decoded into a file, or streamed from its own files where it is large."""

from dataclasses import dataclass
from functools import cached_property, partial
from math import prod
from pathlib import Path

from diswot.options import STREAM_ABOVE
from diswot.progress import Progress, message
from diswot.tasks.images import _decoded, _streamed
from diswot.tasks.images._image_data import ImageData
from diswot.tasks.images._kept import about, is_kept, keep
from diswot.tasks.images._listing import Listing, list_folder
from diswot.tasks.images._looked import Looked, entries_of, look_at


def image_folder(
    root: Path,
    *,
    kept_in: Path,
    image_size: int | None,
    stream_above: float | None,
    progress: Progress,
) -> ImageData:
    """Return the images of a folder, all of which are read when it is new.

    They are decoded into a file that is mapped; or, where that were too large, they are decoded
    whenever they are asked for, and what is kept is what is to be known of them.

    Args:
        root: see `list_folder`.
        kept_in: where that is kept, by the digest of the folder's list of files.
        image_size: height and width of the images; by default inferred.
        stream_above: GiB of decoded images above which they are streamed; by default 8, but a
            folder that was decoded before is mapped.
        progress: receives what was chosen, and each image that is read.

    Raises:
        DataError: it is no folder of images, too many of them are unreadable, or there is
            no place to keep them.
    """
    listing = list_folder(root)
    folder = _Folder(listing, kept_in, image_size, progress)
    if folder.is_streamed(stream_above):
        place, write, read = folder.streamed, _streamed.write_index, _streamed.read_streamed
    else:
        place, write, read = folder.decoded, _decoded.write_decoded, _decoded.read_decoded
    if is_kept(place):
        done = "checked" if place == folder.streamed else "decoded"
        progress(message("images", f"{done} before, in {place}"))
    else:
        keep(place, partial(write, folder.look, progress))
    return read(place, listing)


@dataclass(frozen=True)
class _Folder:
    """A folder of images, before it is known how they are read."""

    listing: Listing
    kept_in: Path
    image_size: int | None
    progress: Progress

    @cached_property
    def decoded(self) -> Path:
        """Where decoded images are kept."""
        return self.kept_in / self.listing.digest(_decoded.FORMAT, self.image_size)[:32]

    @cached_property
    def streamed(self) -> Path:
        """Where it is kept what is to be known of streamed images."""
        return self.kept_in / self.listing.digest(_streamed.FORMAT, self.image_size)[:32]

    @cached_property
    def look(self) -> Looked:
        """All headers, read when they are first asked for."""
        return look_at(self.listing, self.image_size, self.progress)

    def is_streamed(self, above: float | None) -> bool:
        """Choose whether images are streamed, and say so."""
        known = next(filter(is_kept, (self.decoded, self.streamed)), None)
        shape = self.look.shape if known is None else about(known)["images"].shape
        size = len(entries_of(self.listing)) * prod(shape) / 2**30
        limit = STREAM_ABOVE if above is None else above
        streams = size > limit and not (above is None and is_kept(self.decoded))
        text = "streamed from their files" if streams else "decoded into a file that is mapped"
        note = f"{text}: {size:.3g} GiB when decoded (streamed above {limit:g}, --stream-above)"
        self.progress(message("images", note))
        return streams
