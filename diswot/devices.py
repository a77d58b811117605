"""Where to compute; torch is imported when it is asked."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from diswot.errors import OptionError, first_line


def find_device(name: str | None = None) -> str:
    """Return `name`, or by default the first GPU where there is one, else the CPU.

    Of several processes that train together each gets a GPU of its own.

    Raises:
        OptionError: torch has no such device here, or fewer of them than processes.
    """
    import torch

    if name is None:
        name = "cuda" if torch.cuda.is_available() else "cpu"
        if name == "cpu":
            return name
    if name == "cuda" and "LOCAL_RANK" in os.environ:
        return _own_gpu(int(os.environ["LOCAL_RANK"]), torch.cuda.device_count())
    try:
        torch.zeros(1, device=name).item()
    except Exception as error:  # torch raises many kinds, depending on the device
        raise OptionError(
            f"the device {name!r} cannot be used ({first_line(error)}): try cpu"
        ) from error
    return name


def _own_gpu(place: int, there: int) -> str:
    import torch

    processes = int(os.environ.get("LOCAL_WORLD_SIZE", place + 1))
    if processes > there:
        raise OptionError(
            f"there are {processes} processes on this machine, but {there} GPUs: start as many "
            f"as there are GPUs (--nproc-per-node {there}), or take --device cpu"
        )
    torch.cuda.set_device(place)
    return f"cuda:{place}"


def is_first() -> bool:
    """Return whether this is the only process, or the first of those that train together."""
    return os.environ.get("RANK", "0") == "0"


def processes() -> int:
    """Return how many processes train together."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def check_alone(what: str) -> None:
    """Make sure that this process has not been started as one of several that train together.

    Raises:
        OptionError: it has.
    """
    if processes() > 1:
        raise OptionError(
            f"{what} is one process, but several were started: start it without torchrun, and "
            "take torchrun for diswot distill"
        )


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Let torch compute with `count` threads inside the block.

    Sums over threads differ in their last digits with the number of threads, so numbers
    that are to be the same everywhere are computed with a fixed one.
    """
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
