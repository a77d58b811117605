"""The texts that name data: datasets, paths and Python callables."""

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
"""(data root) → a `Dataset`, or something that the task converts to one."""


def datasets_of(
    task: str, built_in: Mapping[str, Makes], *, kind: str = "dataset"
) -> Registry[Makes]:
    """Return a registry of datasets: built-in ones and entry points `diswot.datasets.<task>`.

    Args:
        task: name of the task.
        built_in: functions of the data root that read the built-in datasets, by name.
        kind: what datasets are called in messages.
    """
    return Registry(kind, f"diswot.datasets.{task}", built_in, adopt=_offered)


def _offered(name: str, found: Any) -> Makes:
    @wraps(found)
    def read(root: Path) -> Any:
        return made_by(partial(found, root), name, kind="dataset", error=DataError)

    return read


@dataclass(frozen=True)
class NamedData(Container[str]):
    """The texts that name data: dataset names, paths, and references to callables.

    `text in named` is true for names and paths, never for Python code.

    Attributes:
        datasets: datasets by name, which take precedence over files with the same name.
        paths: description of valid paths, for messages.
        suffixes: suffixes by which a text is recognized as the path of a file.

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
        """Return whether `text` is the path of a folder or a file."""
        looks_like = text.startswith((".", "~")) or os.sep in text or "/" in text
        looks_like = looks_like or text.endswith(self.suffixes)
        exists = os.path.exists(text)  # noqa: PTH110  (False even of what cannot be a path)
        return text not in self.datasets and (looks_like or exists)

    def path(self, data: Any) -> Path | None:
        """Return the path if the data are given by one, else `None`; `~` is expanded."""
        if isinstance(data, Path) or (isinstance(data, str) and self.is_path(data)):
            return Path(os.path.expanduser(data))  # noqa: PTH111  (Path raises if no such user is)
        return None

    def check(self, text: str) -> None:
        """Check a text before anything is read.

        Raises:
            UnknownNameError: it is neither a path nor a reference, and no dataset has this name.
        """
        if not self.is_path(text) and not is_reference(text):
            self.datasets.check(text, also=f" (or give {self.paths}, or package.module:callable)")

    def made(self, text: str, root: str | Path | None) -> Any:
        """Read a dataset by name, or call the callable of a reference.

        Args:
            text: a name or reference that `check` accepts.
            root: the data root; by default `DISWOT_DATA` or the user's cache.

        Raises:
            DataError: the dataset cannot be read, or the callable raises an exception.
        """
        if is_reference(text):
            return made_by(resolve(text, kind="dataset"), text, kind="dataset", error=DataError)
        return self.datasets[text](data_root(root))

    def source(self, data: Any, root: str | Path | None, **options: Any) -> Source | None:
        """Return name or path and options with which data can be loaded again.

        Args:
            data: the data as given: a name, a path, a reference or a dataset.
            root: the data root, if one is given.
            **options: options of the task.

        Returns:
            The source; `None` for Python code and for dataset objects.
        """
        place = str(data) if isinstance(data, str | Path) else ""
        if place not in self and not isinstance(data, Path):
            return None
        if place not in self.datasets:
            place = os.path.abspath(os.path.expanduser(place))  # noqa: PTH100, PTH111
        kept_in = None if root is None else os.path.abspath(root)  # noqa: PTH100
        return Source(place, kept_in, options)
