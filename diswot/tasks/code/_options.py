"""Options of source-code data."""

from typing import Annotated, TypedDict

from diswot.options import Option

LONGEST = 4_096
VOCABULARY = 1_000
MAX_UNPARSED = 0.1


class CodeOptions(TypedDict, total=False):
    """Options of data of the task `code`."""

    length: Annotated[
        int | None,
        Option(
            "Length of programs in tokens; longer ones are truncated, shorter ones padded. By "
            "default a multiple of 8 that 90 % of the training programs fit in, at most 128.",
            least=4,
            most=LONGEST,
        ),
    ]
    vulnerabilities: Annotated[
        str | None,
        Option(
            "Vulnerabilities to load, with commas between, such as reentrancy,timestamp; by "
            "default all in the file."
        ),
    ]
    vocabulary: Annotated[
        int,
        Option(
            "Maximum number of different tokens; further ones are unknown tokens.",
            default=VOCABULARY,
            least=16,
            most=100_000,
        ),
    ]
    max_unparsed: Annotated[
        float,
        Option(
            "Largest fraction of programs that may be left out because they cannot be parsed.",
            default=MAX_UNPARSED,
            least=0,
            most=1,
        ),
    ]
