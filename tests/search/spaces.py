"""Spaces of tiny networks, sound and faulty; named by the tests as references."""

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
    """Networks that take a while, so that a search of them can be stopped on its way."""

    def __init__(self) -> None:
        super().__init__((1, 2, 3, 4, 5, 6))

    def build(self, arch: Architecture, num_classes: int) -> nn.Module:
        if not counting():
            time.sleep(0.1)
        return super().build(arch, num_classes)


class Deadly(Tiny):
    """One network ends the process that builds it, as a lack of memory would."""

    def build(self, arch: Architecture, num_classes: int) -> nn.Module:
        if not counting() and self.to_string(arch) == DEADLY:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().build(arch, num_classes)


class Unsendable(Tiny):
    """Holds what no other process can be given."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()


def counting() -> bool:
    """Return whether a network is built on the meta device, to be counted."""
    return torch.empty(0).is_meta
