"""Predictions of exported text classifiers."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from diswot.errors import DataError, MissingExtraError
from diswot.tasks._prediction import Array, Example, Prediction, most_likely


class TextPrediction(Prediction):
    """Reads texts, or `.txt` files with one text per line."""

    def find(self, given: Sequence[str]) -> list[str]:
        """Return the given texts, and the lines of text files.

        Raises:
            DataError: a text file is missing or empty.
        """
        return [text for item in given for text in self._texts(item)]

    def read(self, example: str) -> Example:
        """Return token ids and attention mask of a text.

        Raises:
            OptionError: the tokenizer is unknown.
        """
        if "preprocessing" not in self.config:
            return super().read(example)
        result = self._tokenizer.encode(example)
        ids = np.array(result.ids, dtype=np.int64)
        return Example((ids, np.array(result.attention_mask, dtype=bool)))

    def answer(self, output: Array, _example: Example) -> dict[str, Any]:
        """Return the `top` most likely classes with their probabilities."""
        return most_likely(output, self.config.get("classes"), top=self.top)

    @cached_property
    def _tokenizer(self) -> Any:
        try:
            from tokenizers import Tokenizer
        except ImportError as error:
            raise MissingExtraError("tokenizers", "text", "predicting texts") from error
        return Tokenizer.from_file(str(self.folder / self.config["preprocessing"]["tokenizer"]))

    @staticmethod
    def _texts(given: str) -> list[str]:
        if not given.endswith(".txt"):
            return [given]
        try:
            lines = Path(given).read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(f"{given} is not a readable text file: {error}") from error
        results = [line for line in lines if line.strip()]
        if not results:
            raise DataError(f"{given} has no text: write one per line")
        return results
