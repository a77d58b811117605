"""Folders of images: decoded into a file, or streamed if they are large."""

from dataclasses import dataclass
from functools import cached_property, partial
from math import prod
from pathlib import Path

from diswot.options import STREAM_ABOVE
from diswot.progress import Progress, message
from diswot.tasks.images import _decoded, _streamed
from diswot.tasks.images._folder_headers import FolderHeaders, entries_of, read_headers
from diswot.tasks.images._image_cache import about, is_kept, keep
from diswot.tasks.images._image_data import ImageData
from diswot.tasks.images._listing import Listing, list_folder


def image_folder(
    root: Path,
    *,
    kept_in: Path,
    image_size: int | None,
    stream_above: float | None,
    progress: Progress,
) -> ImageData:
    """Load a folder of images; a new folder is read completely once.

    The images are decoded into a memory-mapped file; if that would be too large, they are
    streamed: decoded whenever they are used, and only an index is cached.

    Args:
        root: the folder, see `list_folder`.
        kept_in: folder of the cache, in which entries are named by the digest of the file list.
        image_size: height and width of the images; by default inferred.
        stream_above: size of the decoded images, in GiB, above which they are streamed; by
            default 8, but a folder that was decoded before is not streamed.
        progress: called with the choice, and after every image that is read.

    Raises:
        DataError: `root` is not a folder of images, too many images are unreadable, or the disk is
            full.
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
        keep(place, partial(write, folder.headers, progress))
    return read(place, listing)


@dataclass(frozen=True)
class _Folder:
    """A folder of images, before the choice between decoding and streaming."""

    listing: Listing
    kept_in: Path
    image_size: int | None
    progress: Progress

    @cached_property
    def decoded(self) -> Path:
        """Cache folder of decoded images."""
        return self.kept_in / self.listing.digest(_decoded.FORMAT, self.image_size)[:32]

    @cached_property
    def streamed(self) -> Path:
        """Cache folder of the index of streamed images."""
        return self.kept_in / self.listing.digest(_streamed.FORMAT, self.image_size)[:32]

    @cached_property
    def headers(self) -> FolderHeaders:
        """The folder with all image headers, which are read on first use."""
        return read_headers(self.listing, self.image_size, self.progress)

    def is_streamed(self, above: float | None) -> bool:
        """Choose whether images are streamed, and report the choice."""
        # A cached entry has the shape, so that headers are not read again.
        known = next(filter(is_kept, (self.decoded, self.streamed)), None)
        shape = self.headers.shape if known is None else about(known)["images"].shape
        size = len(entries_of(self.listing)) * prod(shape) / 2**30
        limit = STREAM_ABOVE if above is None else above
        streams = size > limit and not (above is None and is_kept(self.decoded))
        text = "streamed from their files" if streams else "decoded into a memory-mapped file"
        note = f"{text}: {size:.3g} GiB when decoded (streamed above {limit:g}, --stream-above)"
        self.progress(message("images", note))
        return streams
