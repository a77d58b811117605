"""Spaces of tiny networks, valid and faulty; tests name them as `module:name`."""

import os
import signal
import threading
import time

import torch
from torch import nn

from search_spaces import Architecture, ResNetDepthSpace

DEADLY = "2-2-2"


class Tiny(ResNetDepthSpace):
    """Twenty-seven networks for the digits."""

    def __init__(self, depths: tuple[int, ...] = (1, 2, 3)) -> None:
        super().__init__(depths, widths=(4, 4, 8, 16), in_channels=1)


class Slow(Tiny):
    """Slow networks, so that a running search can be stopped."""

    def __init__(self) -> None:
        super().__init__((1, 2, 3, 4, 5, 6))

    def build(self, arch: Architecture, num_classes: int) -> nn.Module:
        if not counting():
            time.sleep(0.1)
        return super().build(arch, num_classes)


class Deadly(Tiny):
    """One network kills the process that builds it, as the out-of-memory killer would."""

    def build(self, arch: Architecture, num_classes: int) -> nn.Module:
        if not counting() and self.to_string(arch) == DEADLY:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().build(arch, num_classes)


class Unsendable(Tiny):
    """Contains an object that cannot be pickled."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()


def counting() -> bool:
    """Return whether networks are being built on the meta device, for their costs."""
    return torch.empty(0).is_meta
