"""What loads a dataset again, in whatever folder and process."""

import os
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Source:
    """What loads a dataset again, where that is no code.

    Attributes:
        data: a built-in name, or the whole path of a folder.
        root: the data root, where one was named.
        options: of the task's own, with which it was loaded.

    Examples:
        >>> Source("digits", options={"image_size": None}).to_json()
        {'data': 'digits', 'root': None, 'image_size': None}
    """

    data: str
    root: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the source as plain values, for a manifest."""
        return {"data": self.data, "root": self.root, **self.options}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Source":
        """Read back what `to_json` returned.

        Raises:
            TypeError: it is something else.
        """
        options = dict(values)
        data, root = options.pop("data", None), options.pop("root", None)
        for name, value, kind in (("data", data, str), ("root", root, str | None)):
            if not isinstance(value, kind):
                raise TypeError(f"{name} is {value!r}")
        return cls(str(data), root, options)


@dataclass(frozen=True)
class NamedData(Container[str]):
    """Texts that stand for built-in datasets or for paths, and never for code.

    Attributes:
        datasets: names of built-in datasets, which go before files of the same name.
        suffixes: of files that texts mean, whether they exist or not.

    Examples:
        >>> known = NamedData(("digits",))
        >>> "digits" in known, "./photos" in known, "package.module:callable" in known
        (True, True, False)
    """

    datasets: Container[str]
    suffixes: tuple[str, ...] = ()

    def __contains__(self, text: object) -> bool:
        return isinstance(text, str) and (text in self.datasets or self.is_path(text))

    def is_path(self, text: str) -> bool:
        """Tell whether `text` means a folder or a file."""
        looks_like = text.startswith((".", "~")) or os.sep in text or "/" in text
        looks_like = looks_like or text.endswith(self.suffixes)
        exists = os.path.exists(text)  # noqa: PTH110  (False even of what cannot be a path)
        return text not in self.datasets and (looks_like or exists)

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
