"""Where to compute."""

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
