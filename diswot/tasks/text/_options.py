"""What can be chosen of texts alone."""

from pathlib import Path
from typing import Annotated, TypedDict

from diswot.options import Option

LONGEST = 4_096
LEAST_VOCABULARY = 300
"""The 256 bytes, the special tokens, and a few more."""
MOST_VOCABULARY = 100_000
VOCABULARY = 2_000


class TextOptions(TypedDict, total=False):
    """Options of data of the task `text`."""

    length: Annotated[
        int | None,
        Option(
            "Tokens of a text; longer ones are cut, shorter ones padded. By default a multiple of "
            "8 that nine tenths of the training texts fit in, at most 128.",
            least=4,
            most=LONGEST,
        ),
    ]
    tokenizer: Annotated[
        str | Path | None,
        Option(
            "A tokenizer.json of Hugging Face, or the folder that it is in, such as that of an "
            "hf: teacher; by default byte pairs are trained on the training texts."
        ),
    ]
    vocabulary: Annotated[
        int,
        Option(
            "Tokens that the tokenizer knows at most.",
            default=VOCABULARY,
            least=LEAST_VOCABULARY,
            most=MOST_VOCABULARY,
        ),
    ]
