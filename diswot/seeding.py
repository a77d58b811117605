"""Random numbers derived from what they are for, so that order and processes do not matter."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


def seed_for(*parts: object) -> int:
    """Return a seed derived from `parts` by SHA-256, the same in every process.

    Args:
        *parts: values whose text identifies the purpose, such as (seed, "batch", repeat).

    Returns:
        An integer below 2**56.

    Examples:
        >>> seed_for(0, "3-1-5", 2) == seed_for(0, "3-1-5", 2) != seed_for(1, "3-1-5", 2)
        True
    """
    text = "/".join(map(str, parts)).encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:7], "big")


def generator_for(*parts: object) -> np.random.Generator:
    """Return a numpy generator seeded with `seed_for(*parts)`."""
    return np.random.default_rng(seed_for(*parts))


@contextmanager
def torch_seed(seed: int) -> Iterator[None]:
    """Seed torch's global generators (CPU and all GPUs) inside the block; restore them after."""
    devices = range(torch.cuda.device_count())
    with torch.random.fork_rng(devices=devices):
        seed_torch(seed)
        yield


def seed_torch(seed: int) -> None:
    """Seed torch's global generators: `torch.manual_seed`, fast where there is no accelerator.

    For devices that have not been used yet, `torch.manual_seed` keeps the seed together with the
    formatted call stack, which takes longer than a step of a small network needs.
    """
    if torch.accelerator.is_available():
        torch.manual_seed(seed)
    else:
        torch.default_generator.manual_seed(seed)
