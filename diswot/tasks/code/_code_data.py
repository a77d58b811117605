"""Labeled programs as token ids, split into train, val and test."""

from dataclasses import dataclass, replace

import torch

from diswot.tasks._stratified_split import divided
from diswot.tasks._token_data import TokenData
from diswot.tasks.code._vocabulary import Vocabulary


@dataclass(frozen=True, eq=False)
class CodeData(TokenData):
    """A dataset of labeled programs with three splits, see [`TokenData`][diswot.tasks.TokenData].

    Attributes:
        vocabulary: the tokens.
        masked: whether what decides the classes by rule is masked, as in `code-patterns`.
    """

    task_name = "code"
    fact = "vocabulary"

    vocabulary: Vocabulary
    masked: bool = False

    @property
    def known_tokens(self) -> Vocabulary:
        """The vocabulary."""
        return self.vocabulary

    def with_fewer(self, count: int, *, seed: int) -> "CodeData":
        """Return the data with few training programs, drawn at random, stratified by class.

        Args:
            count: number of training programs.
            seed: seed of the random choice.

        Raises:
            DataError: there are too few programs.
        """
        _, chosen = divided(self.train.labels, count, seed, of="programs")
        return replace(self, train=self.train.take(torch.from_numpy(chosen)))
