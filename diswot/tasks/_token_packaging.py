"""The part of exported folders that networks of token ids share."""

from dataclasses import dataclass

import torch
from torch import Tensor

from diswot.errors import ExportError
from diswot.tasks._packaging import Packaging
from search_spaces import OPEN_LENGTH, Signature


@dataclass(frozen=True)
class TokenPackaging(Packaging):
    """Config and files of an exported classifier of token sequences."""

    shorter: bool = True

    def example(
        self, count: int, *, length: int = OPEN_LENGTH, generator: torch.Generator
    ) -> tuple[Tensor, ...]:
        """Return random token ids and masks, both (count, L), with random lengths."""
        tokens, mask = self.signature.example(count, length=length, generator=generator)
        most = mask.shape[1]
        lengths = torch.randint(1, most + 1, (count, 1), generator=generator)
        mask = torch.arange(most) < lengths
        return tokens * mask, mask


def check_takes_tokens(signature: Signature, what: str) -> None:
    """Check that a student takes token ids and their mask.

    Args:
        signature: signature of the student.
        what: what the tokens are, such as `text`.

    Raises:
        ExportError: it takes other inputs.
    """
    if signature.names != ("input_ids", "attention_mask"):
        raise ExportError(
            f"the student takes {signature.describe()}, which is not {what}: pass data=…, or "
            "task=… of another task"
        )
