"""An object that is sent to worker processes, each of which unpickles it once."""

import pickle
import uuid
from typing import Any

import cloudpickle

from diswot.errors import OptionError, first_line

_adopted: dict[str, Any] = {}


class Pickled:
    """A pickled object with a unique name.

    Args:
        found: the object.
        what: the user's part of it, such as the space, for the error message.

    Raises:
        OptionError: the object cannot be pickled.
    """

    def __init__(self, found: Any, what: str) -> None:
        try:
            self._content = cloudpickle.dumps(found)
        except Exception as error:
            raise OptionError(
                f"{what} cannot be sent to workers ({first_line(error)}): evaluate with --workers 1"
            ) from error
        self.name = uuid.uuid4().hex

    def adopt(self) -> None:
        """Unpickle it in this process and keep it under its name."""
        _adopted[self.name] = pickle.loads(self._content)  # noqa: S301  (from this run's own process)

    def abandon(self) -> None:
        """Release it in this process."""
        _adopted.pop(self.name, None)


def adopted(name: str) -> Any:
    """Return the object that this process unpickled under a name."""
    return _adopted[name]
