"""Directory traversal that records which files and folders are left out."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from diswot.files import irregular
from diswot.tasks._image_file import suffixes
from diswot.tasks._names import NAMED, named

_OF_SYSTEMS = frozenset(
    ["__macosx", "thumbs.db", "desktop.ini", "@eadir", "$recycle.bin", "lost+found", "__pycache__"]
)


@dataclass
class LeftOut:
    """Files and folders of a folder of images that are left out.

    Attributes:
        root: the folder.
        others: files of unknown types.
        hidden: hidden files and folders, and those of operating systems.
        irregular: named pipes, sockets and devices, and folders named like images.
        links: broken links, and links to a parent folder or one that was read already.
        loose: images outside of class folders.
        unlabeled: folders of images without classes.
    """

    root: Path
    others: list[Path] = field(default_factory=list)
    hidden: list[Path] = field(default_factory=list)
    irregular: list[Path] = field(default_factory=list)
    links: list[Path] = field(default_factory=list)
    loose: list[Path] = field(default_factory=list)
    unlabeled: list[Path] = field(default_factory=list)

    def notes(self) -> list[str]:
        """Return a note per kind, with numbers and the first names."""
        by_suffix = f"{by_suffixes(self.others)}: " if self.others else ""
        kinds = {
            f"files skipped that are not images, {len(self.others):,}: {by_suffix}": self.others,
            f"hidden and system files left out, {len(self.hidden):,}: ": self.hidden,
            f"irregular files left out, {len(self.irregular):,}: ": self.irregular,
            "links left out that are broken, circular, or lead to what is already read, "
            f"{len(self.links):,}: ": self.links,
            f"images outside of class folders left out, {len(self.loose):,}: ": self.loose,
            f"folders of images without classes left out, {len(self.unlabeled):,}: ": (
                self.unlabeled
            ),
        }
        return [text + named(paths, self._described) for text, paths in kinds.items() if paths]

    def _described(self, path: Path) -> str:
        kind = irregular(path) if path in self.irregular else None
        relative = str(path.relative_to(self.root))
        return f"{relative} ({kind})" if kind else relative


def by_suffixes(paths: Iterable[Path]) -> str:
    """Count files by suffix: "12 .heic, 1 .txt"."""
    counts = Counter(path.suffix.lower() or "without a suffix" for path in paths)
    return ", ".join(f"{count:,} {suffix}" for suffix, count in counts.most_common(NAMED))


def is_image(name: str) -> bool:
    """Return whether a file has the suffix of an image format."""
    return os.path.splitext(name)[1].lower() in suffixes()  # noqa: PTH122  (a name, not a path)


def subfolders(folder: Path, left: LeftOut) -> list[Path]:
    """Return the subfolders that may contain images, sorted by name; record others."""
    results = []
    for entry in _entries(folder):
        path = Path(entry.path)
        if _is_hidden(entry.name):
            left.hidden.append(path)
        elif not _is_folder(entry):
            if entry.is_symlink() and not path.exists() and not is_image(entry.name):
                left.links.append(path)
        elif entry.is_symlink() and _leads_back(path):
            left.links.append(path)
        else:
            results.append(path)
    return results


def loose_images(folder: Path) -> list[Path]:
    """Return the image files directly in `folder`."""
    entries = _entries(folder)
    return [
        Path(entry.path)
        for entry in entries
        if is_image(entry.name) and not _is_hidden(entry.name) and not _is_folder(entry)
    ]


def has_images(folder: Path) -> bool:
    """Return whether `folder` contains an image file at any depth."""
    return next(images_in(folder, LeftOut(folder)), None) is not None


def images_in(folder: Path, left: LeftOut) -> Iterator[Path]:
    """Yield the image files of a folder at all depths; symbolic links are followed.

    Each folder is read once, so that cyclic links do not loop.
    """
    seen = {_identity(folder)}
    waiting = [folder]
    while waiting:
        inner = []
        for entry in _entries(waiting.pop()):
            path = Path(entry.path)
            if _is_hidden(entry.name):
                left.hidden.append(path)
            elif _is_folder(entry):
                # Device and inode identify a folder that is reached by several links.
                if _identity(path) in seen or (entry.is_symlink() and _leads_back(path)):
                    left.links.append(path)
                elif is_image(entry.name) and not has_images(path):
                    left.irregular.append(path)
                else:
                    seen.add(_identity(path))
                    inner.append(path)
            elif not _is_file(entry) and irregular(path):
                left.irregular.append(path)
            elif is_image(entry.name):
                yield path
            elif entry.is_symlink() and not path.exists():
                left.links.append(path)
            else:
                left.others.append(path)
        waiting += reversed(inner)


def _entries(folder: Path) -> list["os.DirEntry[str]"]:
    with os.scandir(folder) as entries:
        return sorted(entries, key=lambda entry: entry.name)


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name.lower() in _OF_SYSTEMS


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _is_file(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_file()
    except OSError:  # a link to itself
        return False


def _leads_back(link: Path) -> bool:
    """Return whether a link's target is one of its parent folders."""
    path, target = link.parent.resolve(), link.resolve()
    return target == path or target in path.parents


def _identity(folder: Path) -> tuple[int, int]:
    state = folder.stat()
    return state.st_dev, state.st_ino
