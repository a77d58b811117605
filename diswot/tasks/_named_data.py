"""What data of a task can be named by."""

import os
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from functools import partial, wraps
from pathlib import Path
from typing import Any, TypeAlias

from diswot.errors import DataError
from diswot.references import is_reference, made_by, resolve
from diswot.registry import Registry
from diswot.tasks._root import data_root
from diswot.tasks._source import Source

Makes: TypeAlias = Callable[[Path], Any]
"""(data root) → what becomes a dataset, such as a `Dataset` itself."""


def datasets_of(
    task: str, built_in: Mapping[str, Makes], *, kind: str = "dataset"
) -> Registry[Makes]:
    """Return datasets by name: built-in ones, and those of entry points `diswot.datasets.<task>`.

    Args:
        task: its name.
        built_in: what reads them from a data root.
        kind: what they are called in messages.
    """
    return Registry(kind, f"diswot.datasets.{task}", built_in, adopt=_offered)


def _offered(name: str, found: Any) -> Makes:
    @wraps(found)
    def read(root: Path) -> Any:
        return made_by(partial(found, root), name, kind="dataset", error=DataError)

    return read


@dataclass(frozen=True)
class NamedData(Container[str]):
    """What data can be named by: datasets by name, paths, and callables of the user's.

    The texts in it stand for data by name and for paths, and so never for code.

    Attributes:
        datasets: by name, which go before files of the same name; see `datasets_of`.
        paths: what a path can lead to, for messages.
        suffixes: of files that texts mean, whether they exist or not.

    Examples:
        >>> known = NamedData(datasets_of("example", {"digits": Path.iterdir}), "a folder")
        >>> "digits" in known, "./photos" in known, "package.module:callable" in known
        (True, True, False)
        >>> known.check("digit")
        Traceback (most recent call last):
        diswot.errors.UnknownNameError: unknown dataset 'digit': did you mean 'digits'? (or give \
a folder, or package.module:callable)
    """

    datasets: Registry[Makes]
    paths: str
    suffixes: tuple[str, ...] = ()

    def __contains__(self, text: object) -> bool:
        return isinstance(text, str) and (text in self.datasets or self.is_path(text))

    def is_path(self, text: str) -> bool:
        """Return whether `text` means a folder or a file."""
        looks_like = text.startswith((".", "~")) or os.sep in text or "/" in text
        looks_like = looks_like or text.endswith(self.suffixes)
        exists = os.path.exists(text)  # noqa: PTH110  (False even of what cannot be a path)
        return text not in self.datasets and (looks_like or exists)

    def path(self, data: Any) -> Path | None:
        """Return the path that data are named by, if they are named by one."""
        if isinstance(data, Path) or (isinstance(data, str) and self.is_path(data)):
            return Path(os.path.expanduser(data))  # noqa: PTH111  (Path raises if no such user is)
        return None

    def check(self, text: str) -> None:
        """Check a text before anything is read.

        Raises:
            UnknownNameError: it is no path and no reference, and no dataset has that name.
        """
        if not self.is_path(text) and not is_reference(text):
            self.datasets.check(text, also=f" (or give {self.paths}, or package.module:callable)")

    def made(self, text: str, root: str | Path | None) -> Any:
        """Return what a callable or a dataset's name stands for.

        Args:
            text: one that `check` lets pass, and no path.
            root: the data root, where one is named.

        Raises:
            DataError: it cannot be read, or the callable raises anything.
        """
        if is_reference(text):
            return made_by(resolve(text, kind="dataset"), text, kind="dataset", error=DataError)
        return self.datasets[text](data_root(root))

    def source(self, data: Any, root: str | Path | None, **options: Any) -> Source | None:
        """Return what loads data again; nothing for code and for datasets themselves.

        Args:
            data: as they are named, or a path.
            root: the data root, where one is named.
            **options: of the task's own.
        """
        place = str(data) if isinstance(data, str | Path) else ""
        if place not in self and not isinstance(data, Path):
            return None
        if place not in self.datasets:
            place = os.path.abspath(os.path.expanduser(place))  # noqa: PTH100, PTH111
        kept_in = None if root is None else os.path.abspath(root)  # noqa: PTH100
        return Source(place, kept_in, options)
