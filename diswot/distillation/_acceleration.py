"""Hugging Face Accelerate for one training: its device, its precision, its processes."""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

from diswot.distillation._recipe import Recipe
from diswot.errors import OptionError, first_line

if TYPE_CHECKING:
    from accelerate import Accelerator

_DEVICE = "ACCELERATE_TORCH_DEVICE"


@contextmanager
def accelerated(recipe: Recipe, device: str) -> Iterator["Accelerator"]:
    """Give the accelerator of one training.

    Accelerate keeps one state for the whole process, but trainings that follow each other
    may differ in device and precision: a state that was made here is taken down again.

    Raises:
        OptionError: the device has no such precision, or an accelerator that was made
            before has another one.
    """
    if recipe.precision == "fp16" and torch.device(device).type == "cpu":
        raise OptionError("Expected a GPU for the precision fp16, but got the CPU: take bf16")
    # imported here: commands that train nothing need not wait for it
    from accelerate import Accelerator
    from accelerate.state import AcceleratorState, GradientState
    from accelerate.utils import DistributedDataParallelKwargs

    own = not AcceleratorState._shared_state
    # a term may leave a part of the student without gradient, and buffers are the network's own
    parallel = DistributedDataParallelKwargs(find_unused_parameters=True, broadcast_buffers=False)
    try:
        with _chosen(device):
            accelerator = Accelerator(
                mixed_precision="no" if recipe.precision == "single" else recipe.precision,
                cpu=device == "cpu",
                kwargs_handlers=[parallel],
            )
    except ValueError as error:
        raise OptionError(
            f"Expected a precision that {device} has, but got {recipe.precision} "
            f"({first_line(error)}): take single"
        ) from error
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*find_unused_parameters=True.*")
            yield accelerator
    finally:
        if own:
            AcceleratorState._reset_state(reset_partial_state=True)
            GradientState._reset_state()


@contextmanager
def _chosen(device: str) -> Iterator[None]:
    """Let Accelerate take this very device, where it would take its own choice."""
    before = os.environ.get(_DEVICE)
    if torch.device(device).index is not None:
        os.environ[_DEVICE] = device
    try:
        yield
    finally:
        os.environ.pop(_DEVICE, None)
        if before is not None:
            os.environ[_DEVICE] = before
