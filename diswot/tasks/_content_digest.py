"""Digest of a dataset in memory."""

import hashlib
from collections.abc import Iterable

from torch import Tensor


def content_digest(
    settings: object, tensors: Iterable[Tensor], *, unshaped: Iterable[Tensor] = ()
) -> str:
    """Return the SHA-256 of settings, and of shapes and values of tensors on the CPU.

    Args:
        settings: a value whose `repr` describes it.
        tensors: tensors whose shapes count, as settings do not imply them.
        unshaped: tensors whose shapes follow from settings.
    """
    content = hashlib.sha256(repr(settings).encode())
    for tensor in tensors:
        content.update(repr(tuple(tensor.shape)).encode())
        content.update(tensor.contiguous().numpy().data)
    for tensor in unshaped:
        content.update(tensor.contiguous().numpy().data)
    return content.hexdigest()
