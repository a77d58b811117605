"""Hugging Face Accelerate for one training: its device, its precision, its processes."""

import atexit
import gc
import importlib
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from torch import nn

from diswot.errors import OptionError, first_line
from diswot.training._recipe import Recipe

if TYPE_CHECKING:
    from accelerate import Accelerator

_DEVICE = "ACCELERATE_TORCH_DEVICE"


def check_precision(precision: str | None, device: str) -> None:
    """Check a precision without an accelerator.

    Raises:
        OptionError: the device does not have it.
    """
    if precision == "fp16" and torch.device(device).type == "cpu":
        raise OptionError("Expected a GPU for the precision fp16, but got the CPU: take bf16")


@contextmanager
def accelerated(recipe: Recipe, device: str) -> Iterator["Accelerator"]:
    """Give the accelerator of one training.

    Accelerate keeps one state for the whole process, but trainings that follow each other
    may differ in device and precision: a state that was made here is taken down again.

    Raises:
        OptionError: the device has no such precision, or an accelerator that was made
            before has another one.
    """
    check_precision(recipe.precision, device)
    # imported here: commands that train nothing need not wait for it
    from accelerate import Accelerator
    from accelerate.state import AcceleratorState, GradientState

    _keep_groups_mortal()
    own = not AcceleratorState._shared_state
    try:
        with _chosen(device):
            accelerator = Accelerator(
                mixed_precision="no" if recipe.precision == "single" else recipe.precision,
                cpu=device == "cpu",
            )
    except ValueError as error:
        raise OptionError(
            f"Expected a precision that {device} has, but got {recipe.precision} "
            f"({first_line(error)}): take single"
        ) from error
    if accelerator.num_processes > 1:
        atexit.unregister(_part)
        atexit.register(_part)
    try:
        yield accelerator
    finally:
        if own:
            AcceleratorState._reset_state(reset_partial_state=True)
            GradientState._reset_state()


def _keep_groups_mortal() -> None:
    """Import what would take the group of processes for its default arguments, and keep it."""
    if torch.distributed.is_available():
        importlib.import_module("torch.distributed.nn.functional")


def _part() -> None:
    """Leave the group of processes, and end its threads.

    One that still let go of a tensor while Python comes down would abort the process. They
    end with the last reference to the group, which modules in cycles may hold.
    """
    if torch.distributed.is_initialized():
        gc.collect()
        torch.distributed.destroy_process_group()


def shared(module: nn.Module, accelerator: "Accelerator", *, unused: bool) -> nn.Module:
    """Return the module through which processes exchange gradients; the module itself of one.

    Buffers stay each process's own: the statistics and memories of its share.

    Args:
        module: what is trained, on the device.
        accelerator: of the training.
        unused: whether the loss leaves parameters without gradient.
    """
    from accelerate.utils import DistributedDataParallelKwargs

    accelerator.ddp_handler = DistributedDataParallelKwargs(
        broadcast_buffers=False, find_unused_parameters=unused
    )
    with warnings.catch_warnings():
        # the name that torch now prefers is not known to its older versions
        warnings.filterwarnings("ignore", message=".*broadcast_buffers.*", category=FutureWarning)
        prepared: nn.Module = accelerator.prepare(module)
    return prepared


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
