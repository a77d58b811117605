"""The source of a dataset: name or path and options with which it can be loaded again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Source:
    """Name or path and options with which a dataset can be loaded again.

    Attributes:
        data: a built-in name, or an absolute path.
        root: the data root; `None` if none was given.
        options: options of the task with which it was loaded.

    Examples:
        >>> Source("digits", options={"image_size": None}).to_json()
        {'data': 'digits', 'root': None, 'image_size': None}
    """

    data: str
    root: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the source as JSON values, for a manifest."""
        return {"data": self.data, "root": self.root, **self.options}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Source":
        """Make a source from the values of `to_json`.

        Raises:
            TypeError: a value has the wrong type.
        """
        options = dict(values)
        data, root = options.pop("data", None), options.pop("root", None)
        for name, value, kind in (("data", data, str), ("root", root, str | None)):
            if not isinstance(value, kind):
                raise TypeError(f"{name} is {value!r}")
        return cls(str(data), root, options)
