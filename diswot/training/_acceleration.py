"""Hugging Face Accelerate for one training: device, precision and processes."""

import atexit
import gc
import importlib
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import torch
from torch import nn

from diswot.errors import OptionError, first_line
from diswot.runtimes import require_compiler
from diswot.training._recipe import Recipe

if TYPE_CHECKING:
    from accelerate import Accelerator

_DEVICE = "ACCELERATE_TORCH_DEVICE"

COMPILER = "inductor"
"""Backend of `torch.compile`."""


def check_precision(precision: str | None, device: str) -> None:
    """Check a precision without creating an accelerator.

    Args:
        precision: a name of `PRECISIONS`, or `None`.
        device: a torch device.

    Raises:
        OptionError: the device does not support it.
    """
    if precision == "fp16" and torch.device(device).type == "cpu":
        raise OptionError("Expected a GPU for the precision fp16, but got the CPU: take bf16")


@contextmanager
def accelerated(recipe: Recipe, device: str) -> Iterator["Accelerator"]:
    """Yield an accelerator for one training.

    Accelerate keeps one global state per process, but consecutive trainings may differ in
    device and precision. So a state that was created here is reset after the block.

    Args:
        recipe: the recipe with the precision.
        device: a torch device.

    Raises:
        OptionError: the device does not support the precision, or an accelerator that was
            created before has another one.
    """
    check_precision(recipe.precision, device)
    # Imported here to keep commands that train nothing fast to start.
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


@contextmanager
def faster(networks: Sequence[nn.Module], recipe: Recipe, device: str) -> Iterator[None]:
    """Apply channels-last, TF32 and `torch.compile` inside the block, as the recipe says.

    Args:
        networks: student and teachers, which are on the device.
        recipe: the recipe.
        device: a torch device.

    Raises:
        OptionError: TF32 without an NVIDIA GPU, or `torch.compile` without a compiler.
    """
    if recipe.tf32 and torch.device(device).type != "cuda":
        raise OptionError(f"Expected an NVIDIA GPU for TF32, but got {device}: leave it out")
    if recipe.compile:
        require_compiler(device)
    with ExitStack() as after:
        if recipe.tf32:
            after.enter_context(_tf32())
        for network in networks if recipe.channels_last else ():
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            after.callback(_contiguous, network)
        if recipe.compile:
            # Readers of activations add and remove hooks, which compiled code must notice.
            after.enter_context(torch._dynamo.config.patch(skip_nnmodule_hook_guards=False))
        for network in networks if recipe.compile else ():
            network.compile(backend=COMPILER)
            after.callback(setattr, network, "_compiled_call_impl", None)
        yield


def _contiguous(network: nn.Module) -> None:
    network.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]


@contextmanager
def _tf32() -> Iterator[None]:
    """Allow TF32 inside the block."""
    products, convolutions = torch.backends.cuda.matmul, torch.backends.cudnn
    before = products.allow_tf32, convolutions.allow_tf32
    products.allow_tf32 = convolutions.allow_tf32 = True
    try:
        yield
    finally:
        products.allow_tf32, convolutions.allow_tf32 = before


def _keep_groups_mortal() -> None:
    """Import a module now whose default arguments would otherwise keep the process group alive."""
    if torch.distributed.is_available():
        importlib.import_module("torch.distributed.nn.functional")


def _part() -> None:
    """Destroy the process group and end its threads before the interpreter exits.

    A thread that releases a tensor during interpreter shutdown would abort the process. The
    threads end with the last reference to the group, which reference cycles of modules may
    hold; therefore garbage is collected first.
    """
    if torch.distributed.is_initialized():
        gc.collect()
        torch.distributed.destroy_process_group()


def shared(module: nn.Module, accelerator: "Accelerator", *, unused: bool) -> nn.Module:
    """Wrap a module in DistributedDataParallel if several processes train together.

    Buffers are not synchronized: batch statistics and memories are those of each process.

    Args:
        module: the module to train, on the device.
        accelerator: the accelerator of the training.
        unused: whether the loss leaves some parameters without gradient.
    """
    from accelerate.utils import DistributedDataParallelKwargs

    accelerator.ddp_handler = DistributedDataParallelKwargs(
        broadcast_buffers=False, find_unused_parameters=unused
    )
    with warnings.catch_warnings():
        # Older versions of torch do not have the argument that this warning recommends.
        warnings.filterwarnings("ignore", message=".*broadcast_buffers.*", category=FutureWarning)
        prepared: nn.Module = accelerator.prepare(module)
    return prepared


@contextmanager
def _chosen(device: str) -> Iterator[None]:
    """Make Accelerate use a device with an index, instead of choosing one itself."""
    before = os.environ.get(_DEVICE)
    if torch.device(device).index is not None:
        os.environ[_DEVICE] = device
    try:
        yield
    finally:
        os.environ.pop(_DEVICE, None)
        if before is not None:
            os.environ[_DEVICE] = before
