"""What loads a dataset again, in whatever folder and process."""

from collections.abc import Mapping
from dataclasses import dataclass, field
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
