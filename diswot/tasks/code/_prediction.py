"""Predictions of exported classifiers of source code."""

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from diswot.errors import MissingExtraError
from diswot.tasks._prediction import Array, Example, Prediction, most_likely
from diswot.tasks.code._normalization import SUFFIXES, normalized
from diswot.tasks.code._vocabulary import Vocabulary, read_vocabulary


class CodePrediction(Prediction):
    """Reads source files."""

    def read(self, example: str) -> Example:
        """Return token ids and padding mask of a source file.

        Raises:
            ValueError: its language is not known, or it cannot be parsed.
            DataError: the vocabulary is missing or damaged.
            MissingExtraError: the parser of Solidity is not installed.
        """
        if "preprocessing" not in self.config:
            return super().read(example)
        steps, path = self.config["preprocessing"], Path(example)
        language = SUFFIXES.get(path.suffix.lower())
        if language is None:
            known = ", ".join(SUFFIXES)
            raise ValueError(f"{path.name} is not a file of source code with the suffix {known}")
        try:
            tokens = normalized(path.read_text("utf-8"), language, steps["masked"])
        except ImportError as error:
            raise MissingExtraError("tree_sitter_solidity", "code", "Solidity") from error
        known_ids = self._vocabulary.encode(tokens[: steps["length"]])
        ids = np.zeros(steps["length"], dtype=np.int64)
        ids[: len(known_ids)] = known_ids
        return Example((ids, np.arange(len(ids)) < len(known_ids)))

    def answer(self, output: Array, _example: Example) -> dict[str, Any]:
        """Return the `top` most likely classes with their probabilities."""
        return most_likely(output, self.config.get("classes"), top=self.top)

    def is_example(self, path: Path) -> bool:
        """Return whether a file in a folder is source code."""
        return path.suffix.lower() in SUFFIXES

    @cached_property
    def _vocabulary(self) -> Vocabulary:
        return read_vocabulary(self.folder / self.config["preprocessing"]["vocabulary"])
