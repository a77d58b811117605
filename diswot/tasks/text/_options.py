"""Options of text data."""

from pathlib import Path
from typing import Annotated, TypedDict

from diswot.options import Option

LONGEST = 4_096
LEAST_VOCABULARY = 300
"""Minimum vocabulary size: 256 bytes, the special tokens, and a few merges."""
MOST_VOCABULARY = 100_000
VOCABULARY = 2_000


class TextOptions(TypedDict, total=False):
    """Options of data of the task `text`."""

    length: Annotated[
        int | None,
        Option(
            "Sequence length in tokens; longer texts are truncated, shorter ones padded. By "
            "default a multiple of 8 that 90 % of the training texts fit in, at most 128.",
            least=4,
            most=LONGEST,
        ),
    ]
    tokenizer: Annotated[
        str | Path | None,
        Option(
            "A tokenizer.json of Hugging Face, or its folder, such as the folder of the teacher; "
            "by default byte-level BPE is trained on the training texts."
        ),
    ]
    vocabulary: Annotated[
        int,
        Option(
            "Maximum number of tokens of the trained tokenizer.",
            default=VOCABULARY,
            least=LEAST_VOCABULARY,
            most=MOST_VOCABULARY,
        ),
    ]
