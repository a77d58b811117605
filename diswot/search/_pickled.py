"""An object on its way to other processes, in each of which it is unpacked once."""

import pickle
import uuid
from typing import Any

import cloudpickle

from diswot.errors import OptionError, first_line

_adopted: dict[str, Any] = {}


class Pickled:
    """An object as bytes.

    Args:
        found: the object.
        what: what of it a user can change, for the message.

    Raises:
        OptionError: it cannot be sent.
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
        """Unpack it in this process."""
        _adopted[self.name] = pickle.loads(self._content)  # noqa: S301  (from this run's own process)

    def abandon(self) -> None:
        """Forget it in this process."""
        _adopted.pop(self.name, None)


def adopted(name: str) -> Any:
    """Return what was unpacked in this process under a name."""
    return _adopted[name]
