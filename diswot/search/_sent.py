"""An evaluator on its way to other processes, in each of which it is unpacked once."""

import pickle
import uuid

import cloudpickle

from diswot.errors import OptionError, first_line
from diswot.search._evaluation import Evaluator

_adopted: dict[str, Evaluator] = {}


class Sent:
    """An evaluator as bytes.

    Raises:
        OptionError: its space or scorer cannot be sent.
    """

    def __init__(self, evaluator: Evaluator) -> None:
        try:
            self._content = cloudpickle.dumps(evaluator)
        except Exception as error:
            raise OptionError(
                f"space {type(evaluator.space).__name__} and scorer {evaluator.scorer.card.name} "
                f"cannot be sent to workers ({first_line(error)}): evaluate with --workers 1"
            ) from error
        self.name = uuid.uuid4().hex

    def adopt(self) -> None:
        """Unpack it in this process."""
        _adopted[self.name] = pickle.loads(self._content)  # noqa: S301  (from this run's own process)

    def abandon(self) -> None:
        """Forget it in this process."""
        _adopted.pop(self.name, None)


def adopted(name: str) -> Evaluator:
    """Return what was unpacked in this process under a name."""
    return _adopted[name]
