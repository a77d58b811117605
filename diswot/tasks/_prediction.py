"""From what users have to what a student takes, and from its output to what it says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diswot.errors import DataError, OptionError

Array = NDArray[Any]


@dataclass(frozen=True)
class Example:
    """One example that a student is asked about.

    Attributes:
        inputs: of the network, without the batch axis.
        context: what is needed to read the output, such as which part of a photo was taken.
    """

    inputs: tuple[Array, ...]
    context: Any = None


class Prediction:
    """What an exported student says of examples that users have.

    By default an example is a file `.npy` with the array of the only input, and what is printed for
    it are the numbers of the output. A task overrides what it knows better.

    Args:
        folder: of the exported student.
        config: its `config.json`.
        top: how many answers are wanted of each example, where there are several.
    """

    def __init__(self, folder: Path, config: Mapping[str, Any], *, top: int = 1) -> None:
        self.folder, self.config, self.top = folder, config, top

    def find(self, given: Sequence[str]) -> list[str]:
        """Return the examples that are meant by names of files and folders, in order.

        Raises:
            DataError: there is no such file, or nothing in a folder.
        """
        return [name for each in given for name in self._files(Path(each))]

    def read(self, example: str) -> Example:
        """Return an example as the network takes it.

        Raises:
            Exception: any, where it cannot be read.
        """
        inputs = self.config["inputs"]
        if len(inputs) != 1:
            raise OptionError(f"the student takes {len(inputs)} arrays: run its predict.py")
        return Example((self.array(Path(example)).astype(inputs[0]["dtype"]),))

    def answer(self, output: Array, example: Example) -> dict[str, Any]:  # noqa: ARG002
        """Return what the student says of an example, as plain values by name."""
        return {f"output_{number}": float(each) for number, each in enumerate(output.flat, 1)}

    def array(self, path: Path) -> Array:
        """Return the array in a file, of the shape that the first input has.

        Raises:
            ValueError: it has another shape.
        """
        values: Array = np.load(path, allow_pickle=False)
        shape = self.config["inputs"][0]["shape"]
        if len(shape) != values.ndim or any(
            size not in (None, length) for size, length in zip(shape, values.shape, strict=True)
        ):
            raise ValueError(f"its shape is {values.shape}, but the student takes {tuple(shape)}")
        return values

    def is_example(self, path: Path) -> bool:
        """Return whether a file of a folder is taken for an example."""
        return path.suffix == ".npy"

    def _files(self, path: Path) -> list[str]:
        if path.is_file():
            return [str(path)]
        if not path.is_dir():
            raise DataError(f"there is no file or folder {path}: name what to predict")
        found = sorted(each for each in path.rglob("*") if self.is_example(each) and each.is_file())
        if not found:
            raise DataError(f"{path} has nothing that the student can take: name a file in it")
        return list(map(str, found))


def most_likely(
    output: Array, classes: Sequence[str] | None, *, top: int
) -> dict[str, str | float | int]:
    """Return the most likely classes of one example with their probabilities, by softmax.

    Args:
        output: of the network: (classes,).
        classes: their names; without them their numbers are given.
        top: how many to return.

    Examples:
        >>> most_likely(np.array([0.0, 20.0]), ["cat", "dog"], top=1)
        {'label': 'dog', 'probability': 1.0}
    """
    shares = np.exp(output.astype(np.float64) - output.max())
    shares /= shares.sum()
    found: dict[str, str | float | int] = {}
    for place, number in enumerate(np.argsort(-shares, kind="stable")[:top], start=1):
        end = "" if place == 1 else f"_{place}"
        found[f"label{end}"] = classes[number] if classes else int(number)
        found[f"probability{end}"] = round(float(shares[number]), 6)
    return found
