"""Predictions of exported students: read users' files, and describe the outputs."""

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
    """One example for a prediction.

    Attributes:
        inputs: inputs of the network, without the batch axis.
        context: what is needed to interpret the output, such as the crop of a photo.
    """

    inputs: tuple[Array, ...]
    context: Any = None


class Prediction:
    """Converts users' files to inputs, and outputs to predictions.

    By default, an example is a `.npy` file with the array of the only input, and a prediction
    consists of the output's numbers. Tasks override these methods.

    Args:
        folder: folder of the exported student.
        config: content of its `config.json`.
        top: number of predictions per example, for example the top 5 classes.

    Attributes:
        threshold: probability from which a label is predicted, of tasks with any number of
            labels for each example; `None` for other tasks.
    """

    threshold: float | None = None

    def __init__(self, folder: Path, config: Mapping[str, Any], *, top: int = 1) -> None:
        self.folder, self.config, self.top = folder, config, top

    def find(self, given: Sequence[str]) -> list[str]:
        """Return the examples for names of files and folders, in order.

        Args:
            given: names of files, or of folders that are searched for examples.

        Raises:
            DataError: a file does not exist, or a folder has no examples.
        """
        return [name for item in given for name in self._files(Path(item))]

    def read(self, example: str) -> Example:
        """Read an example as inputs of the network.

        Args:
            example: its name, as returned by `find`.

        Raises:
            Exception: anything, if it cannot be read.
        """
        inputs = self.config["inputs"]
        if len(inputs) != 1:
            raise OptionError(f"the student takes {len(inputs)} arrays: run its predict.py")
        return Example((self.array(Path(example)).astype(inputs[0]["dtype"]),))

    def answer(self, output: Array, example: Example) -> dict[str, Any]:  # noqa: ARG002
        """Return the prediction for an example, as JSON values by name.

        Args:
            output: output of the network, without the batch axis.
            example: the example.
        """
        return {f"output_{number}": float(item) for number, item in enumerate(output.flat, 1)}

    def array(self, path: Path) -> Array:
        """Read an array from a `.npy` file, and check its shape.

        Raises:
            ValueError: its shape is not that of the first input.
        """
        values: Array = np.load(path, allow_pickle=False)
        shape = self.config["inputs"][0]["shape"]
        if len(shape) != values.ndim or any(
            size not in (None, length) for size, length in zip(shape, values.shape, strict=True)
        ):
            raise ValueError(f"its shape is {values.shape}, but the student takes {tuple(shape)}")
        return values

    def is_example(self, path: Path) -> bool:
        """Return whether a file in a folder is an example."""
        return path.suffix == ".npy"

    def _files(self, path: Path) -> list[str]:
        if path.is_file():
            return [str(path)]
        if not path.is_dir():
            raise DataError(f"there is no file or folder {path}: name what to predict")
        results = sorted(
            item for item in path.rglob("*") if self.is_example(item) and item.is_file()
        )
        if not results:
            raise DataError(f"{path} has no file that the student can take: name a file in it")
        return list(map(str, results))


def most_likely(
    output: Array, classes: Sequence[str] | None, *, top: int
) -> dict[str, str | float | int]:
    """Return the most likely classes of one example and their softmax probabilities.

    Args:
        output: logits (classes,).
        classes: names of the classes; without them, numbers are returned.
        top: number of classes to return.

    Examples:
        >>> most_likely(np.array([0.0, 20.0]), ["cat", "dog"], top=1)
        {'label': 'dog', 'probability': 1.0}
    """
    shares = np.exp(output.astype(np.float64) - output.max())
    shares /= shares.sum()
    results: dict[str, str | float | int] = {}
    for index, number in enumerate(np.argsort(-shares, kind="stable")[:top], start=1):
        end = "" if index == 1 else f"_{index}"
        results[f"label{end}"] = classes[number] if classes else int(number)
        results[f"probability{end}"] = round(float(shares[number]), 6)
    return results
