"""Where to compute."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from diswot.errors import OptionError, first_line


def find_device(name: str | None = None) -> str:
    """Return `name`, or by default the first GPU where there is one, else the CPU.

    Raises:
        OptionError: torch has no such device here.
    """
    if name is None:
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.zeros(1, device=name).item()
    except Exception as error:  # torch raises many kinds, depending on the device
        raise OptionError(
            f"the device {name!r} cannot be used ({first_line(error)}): try cpu"
        ) from error
    return name


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Let torch compute with `count` threads inside the block.

    Sums over threads differ in their last digits with the number of threads, so numbers
    that are to be the same everywhere are computed with a fixed one.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
