"""What a client sends of its knowledge: all soft labels, the highest ones, with bits or noise."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from diswot.errors import OptionError
from diswot.seeding import generator_for

Arrays: TypeAlias = dict[str, NDArray[Any]]
"""The content of a message: arrays by name."""

BITS: Mapping[int, Any] = {8: np.uint8, 16: np.uint16, 32: np.float32}
"""Bits of a probability → type of the sent numbers."""

PROBABILITIES, CLASSES = "probabilities", "classes"
"""Names of the arrays of a message with knowledge."""


@dataclass(frozen=True)
class Sharing:
    """How knowledge is sent.

    Attributes:
        top: number of classes per example, the highest ones; `None` for all.
        bits: 8, 16 or 32 bits per probability.
        noise: standard deviation of Gaussian noise.
    """

    top: int | None = None
    bits: int = 32
    noise: float = 0.0

    def check(self, classes: int) -> None:
        """Check the settings for a number of classes.

        Raises:
            OptionError: a setting is out of range.
        """
        if self.bits not in BITS:
            raise OptionError(f"Expected share bits to be 8, 16 or 32, but got {self.bits}")
        if self.top is not None and self.top > classes:
            raise OptionError(
                f"Expected share top to be at most the {classes} classes, but got {self.top}"
            )

    def bytes_of(self, samples: int, classes: int) -> int:
        """Return the size of one client's knowledge in bytes.

        Examples:
            >>> Sharing().bytes_of(400, 10), Sharing(top=2, bits=8).bytes_of(400, 10)
            (16000, 2400)
        """
        sent = classes if self.top is None else self.top
        of_class = 0 if self.top is None else 2
        return samples * sent * (self.bits // 8 + of_class)

    def packed(self, soft: NDArray[np.float32], *seed: object) -> Arrays:
        """Return soft labels (S, C) in the form in which they are sent.

        Noise is added first; the rest does not read the private examples again, so that it
        does not change what the noise protects.

        Args:
            soft: probabilities (S, C).
            *seed: what the seed of the noise is derived from.
        """
        values = soft.astype(np.float64)
        if self.noise:
            values = values + generator_for(*seed, "noise").normal(0, self.noise, values.shape)
        values = values.clip(0, 1)
        result: Arrays = {}
        if self.top is not None:
            order = np.argsort(-values, axis=1, kind="stable")[:, : self.top]
            values = np.take_along_axis(values, order, 1)
            result[CLASSES] = order.astype(np.uint16)
        kind = BITS[self.bits]
        if self.bits < 32:
            values = (values * np.iinfo(kind).max).round()
        return result | {PROBABILITIES: np.ascontiguousarray(values.astype(kind))}

    def unpacked(self, arrays: Mapping[str, NDArray[Any]], shape: tuple[int, int]) -> Any:
        """Return the soft labels (S, C) of a message, rows of sum 1.

        Probability that was not sent is spread evenly over the classes that were not sent.

        Args:
            arrays: content of the message.
            shape: (S, C), the expected shape.

        Raises:
            ValueError: the message is malformed; the text says how.
        """
        names = {PROBABILITIES} if self.top is None else {PROBABILITIES, CLASSES}
        if set(arrays) != names:
            raise ValueError(f"sent {', '.join(sorted(arrays)) or 'nothing'}, not soft labels")
        sent, expected = arrays[PROBABILITIES], (shape[0], self.top or shape[1])
        if sent.shape != expected:
            raise ValueError(f"sent soft labels of shape {sent.shape}, not {expected}")
        if sent.dtype != BITS[self.bits]:
            raise ValueError(f"sent {sent.dtype} numbers, not {np.dtype(BITS[self.bits])}")
        values = sent.astype(np.float64)
        if not np.isfinite(values).all():
            raise ValueError("sent soft labels that are not finite")
        if self.bits < 32:
            values /= np.iinfo(BITS[self.bits]).max
        if values.min() < 0 or values.max() > 1 + 1e-6:
            raise ValueError("sent soft labels that are not between 0 and 1")
        if self.top is not None:
            values = self._spread(values, arrays[CLASSES], shape)
        total = values.sum(1, keepdims=True)
        uniform = np.full_like(values, 1 / shape[1])
        return np.where(total > 0, values / np.where(total > 0, total, 1), uniform).astype(
            np.float32
        )

    def _spread(
        self, values: NDArray[np.float64], classes: NDArray[Any], shape: tuple[int, int]
    ) -> NDArray[np.float64]:
        if classes.shape != values.shape or classes.dtype != np.uint16:
            raise ValueError("sent classes that do not belong to its soft labels")
        if classes.max(initial=0) >= shape[1]:
            raise ValueError(f"sent class {classes.max()}, but there are {shape[1]} classes")
        left = shape[1] - values.shape[1]
        rest = (1 - values.sum(1, keepdims=True)).clip(0) / max(left, 1)
        result = np.repeat(rest, shape[1], axis=1)
        np.put_along_axis(result, classes.astype(np.int64), values, 1)
        return result
