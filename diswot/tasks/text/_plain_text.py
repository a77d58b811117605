"""Plain text without labels, cut into sequences of tokens for training."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from diswot.csv_table import read_text
from diswot.errors import DataError
from diswot.tasks._token_data import TokenSplit
from diswot.tasks._tokenizer import TextTokenizer
from diswot.tasks.text._text_data import TextData

SUFFIX = ".txt"


def text_files(place: str | Path) -> list[Path]:
    """Return the text files of a path: the file itself, or all files in a folder, at any depth.

    Raises:
        DataError: there are no text files.
    """
    path = Path(place).expanduser()
    results = sorted(path.rglob(f"*{SUFFIX}")) if path.is_dir() else [path]
    if not results or not all(item.is_file() for item in results):
        raise DataError(f"there is no text at {path}: name a {SUFFIX} file, or a folder of them")
    return results


def with_plain_text(data: TextData, place: str | Path) -> TextData:
    """Return data whose training texts are plain text, cut into sequences that fill the length.

    Texts of several files are joined, in the order of their paths; tokens at the end that fill no
    sequence are left out. All labels are 0, without meaning.

    Args:
        data: text data with the tokenizer, the length, and the validation and test texts.
        place: a `.txt` file in UTF-8, or a folder of them.

    Raises:
        DataError: there is no text, it is not UTF-8, or it is shorter than one sequence.
    """
    tokenizer, inside = data.tokenizer, data.length - 2
    read = (token for path in text_files(place) for token in _tokens(tokenizer, path))
    tokens = torch.from_numpy(np.fromiter(read, dtype=np.int64))
    count = len(tokens) // inside
    if not count:
        raise DataError(
            f"{place} is shorter than one sequence: it has {len(tokens):,} tokens, and a sequence "
            f"{inside:,} between its start and end; give more text, or a smaller --length"
        )
    rows = torch.full((count, data.length), tokenizer.start)
    rows[:, 1:-1] = tokens[: count * inside].reshape(count, inside)
    rows[:, -1] = tokenizer.end
    lengths = torch.full((count,), data.length)
    return replace(data, train=TokenSplit(rows, lengths, torch.zeros(count, dtype=torch.int64)))


def _tokens(tokenizer: TextTokenizer, path: Path) -> Iterator[int]:
    """Yield the token ids of a file, without the tokens at the start and end of a text."""
    for line in read_text(path).splitlines():
        yield from tokenizer.encode(line)[1:-1]
