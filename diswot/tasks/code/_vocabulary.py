"""The vocabulary of normalized tokens."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from diswot.errors import DataError
from diswot.tasks.code._normalization import MASK

PAD, UNKNOWN = "<pad>", "<unknown>"

SPECIAL = (PAD, UNKNOWN, MASK)
"""Tokens with ids 0 to 2: padding, unknown and masked tokens."""

LEAST_COUNT = 2
"""How often a token must occur in training programs."""


@dataclass(frozen=True)
class Vocabulary:
    """Tokens and their ids.

    Attributes:
        tokens: the tokens, in the order of their ids.

    Examples:
        >>> vocabulary = Vocabulary.of([["a", "b", "a"], ["b", "c"]], most=10)
        >>> vocabulary.tokens[3:], vocabulary.encode(["b", "x"])
        (('a', 'b'), [4, 1])
    """

    tokens: tuple[str, ...]

    @classmethod
    def of(cls, programs: Iterable[Sequence[str]], *, most: int) -> "Vocabulary":
        """Return the most frequent tokens of programs.

        Args:
            programs: tokens of the training programs.
            most: largest number of tokens, including special ones.
        """
        counts = Counter(token for program in programs for token in program)
        frequent = [token for token, count in counts.items() if count >= LEAST_COUNT]
        frequent = sorted(set(frequent) - {*SPECIAL}, key=lambda token: (-counts[token], token))
        return cls((*SPECIAL, *frequent[: most - len(SPECIAL)]))

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {token: number for number, token in enumerate(self.tokens)}

    def encode(self, tokens: Iterable[str]) -> list[int]:
        """Return the ids of tokens."""
        return [self._ids.get(token, SPECIAL.index(UNKNOWN)) for token in tokens]

    @property
    def pad(self) -> int:
        """Id of padding."""
        return SPECIAL.index(PAD)

    @property
    def mask(self) -> int:
        """Id of masked tokens."""
        return SPECIAL.index(MASK)

    @property
    def special(self) -> frozenset[int]:
        """Ids of padding, unknown and masked tokens."""
        return frozenset(range(len(SPECIAL)))

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the tokens in order."""
        return hashlib.sha256(json.dumps(self.tokens).encode()).hexdigest()

    def __len__(self) -> int:
        return len(self.tokens)


def read_vocabulary(path: Path) -> Vocabulary:
    """Read the vocabulary of an exported student.

    Args:
        path: a JSON list of tokens in the order of their ids.

    Raises:
        DataError: the file is missing or damaged.
    """
    try:
        return Vocabulary(tuple(json.loads(path.read_text("utf-8"))))
    except (OSError, ValueError, TypeError) as error:
        raise DataError(f"{path} is not a vocabulary: export the student again") from error
