"""Devices, processes and threads; torch is imported only when a function needs it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from diswot.errors import OptionError, first_line


def find_device(name: str | None = None) -> str:
    """Return the device to use, after checking that torch can allocate on it.

    Under torchrun, each process gets its own GPU (by `LOCAL_RANK`).

    Args:
        name: a torch device such as `cuda:1`; by default the first NVIDIA GPU, else the GPU of
            an Apple chip (`mps`), else the CPU.

    Raises:
        OptionError: torch cannot use this device here, or there are fewer GPUs than processes.
    """
    import torch

    if name is None:
        name = "cpu"
        if torch.cuda.is_available():
            name = "cuda"
        elif torch.backends.mps.is_available():
            name = "mps"
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


def _own_gpu(index: int, there: int) -> str:
    import torch

    processes = int(os.environ.get("LOCAL_WORLD_SIZE", index + 1))
    if processes > there:
        raise OptionError(
            f"there are {processes} processes on this machine, but {there} GPUs: start as many "
            f"as there are GPUs (--nproc-per-node {there}), or take --device cpu"
        )
    torch.cuda.set_device(index)
    return f"cuda:{index}"


def is_first() -> bool:
    """Return whether this process has rank 0 (or is the only one): it writes and prints."""
    return os.environ.get("RANK", "0") == "0"


def processes() -> int:
    """Return how many processes train together (torchrun's `WORLD_SIZE`); 1 without torchrun."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def check_alone(what: str) -> None:
    """Make sure that this process was not started by torchrun together with others.

    Args:
        what: the command that runs in a single process, for the message.

    Raises:
        OptionError: `WORLD_SIZE` is above 1.
    """
    if processes() > 1:
        raise OptionError(
            f"{what} runs in one process, but several were started: start it without torchrun, "
            f"which is for diswot distill"
        )


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Let torch compute with `count` threads inside the block; the old number is restored.

    The last digits of a sum depend on the number of threads, so a fixed number makes scores
    reproducible on other machines.
    """
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
