"""Parallel reading of image files, which tolerates a few unreadable ones."""

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from diswot.errors import DataError, first_line
from diswot.progress import Progress, tracked
from diswot.tasks._names import named

SKIPPED_AT_LEAST, SKIPPED_SHARE = 5, 0.01
"""Maximum of unreadable images that are skipped: a number or a share, whichever is more."""

_TOGETHER = 256
_T = TypeVar("_T")


@dataclass(frozen=True)
class Reading:
    """Reads the image files of a folder, and records unreadable ones with reasons.

    Attributes:
        root: the folder.
        paths: the image files.
        unreadable: unreadable file → reason.
    """

    root: Path
    paths: Sequence[Path]
    unreadable: dict[Path, str] = field(default_factory=dict)

    def each(
        self, read: Callable[[Path], _T], *, stage: str, progress: Progress
    ) -> Iterator[_T | None]:
        """Read all files in parallel threads; yield results in order, `None` for unreadable ones.

        Raises:
            DataError: too many files are unreadable.
        """

        def attempt(path: Path) -> _T | str:
            try:
                return read(path)
            except Exception as error:  # noqa: BLE001  (a damaged image can raise anything)
                return first_line(error)

        with _strict(), ThreadPoolExecutor(os.cpu_count()) as pool:
            # pool.map submits all tasks at once, so it gets chunks to limit memory.
            parts = (self.paths[i : i + _TOGETHER] for i in range(0, len(self.paths), _TOGETHER))
            results = (result for part in parts for result in pool.map(attempt, part))
            reported = tracked(results, progress, stage, len(self.paths))
            for result, path in zip(reported, self.paths, strict=True):
                if isinstance(result, str):
                    self._leave_out(path, result)
                yield None if isinstance(result, str) else result

    @property
    def reasons(self) -> str:
        """The first few unreadable files, with reasons."""
        results = sorted(self.unreadable.items())
        return named([f"{path.relative_to(self.root)} ({why})" for path, why in results])

    def _leave_out(self, path: Path, reason: str) -> None:
        self.unreadable[path] = reason.replace(str(path), path.name)
        most = max(SKIPPED_AT_LEAST, int(SKIPPED_SHARE * len(self.paths)))
        if len(self.unreadable) == len(self.paths):
            raise DataError(f"no image in {self.root} can be read: {self.reasons}; fix them")
        if len(self.unreadable) > most:
            raise DataError(
                f"more than {most} of the {len(self.paths):,} images in {self.root} cannot be "
                f"read: {self.reasons}; fix or remove them"
            )


@contextmanager
def _strict() -> Iterator[None]:
    """Raise for decompression bombs (more pixels than Pillow's limit) inside the block."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield
