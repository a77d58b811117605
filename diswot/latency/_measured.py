"""Measure latencies on this machine."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from diswot.errors import SpaceError, first_line
from diswot.latency._forms import runner
from diswot.options import EAGER, RUNTIMES
from diswot.seeding import torch_seed
from search_spaces import Architecture, SearchSpace, Signature

SECONDS = 0.3
"""Default time for which one network is timed."""

FAST = 0.1
"""Fraction of the fastest runs, which count as undisturbed by other load."""


@dataclass(frozen=True)
class LatencyMeasurement:
    """Measured latency of one network.

    Attributes:
        median_ms: median of the runs, in milliseconds.
        fast_ms: 10 % quantile of the runs, the latency on an otherwise idle machine.
        iqr_ms: interquartile range.
        outliers: fraction of the runs farther from the quartiles than 1.5 times their
            distance; a large fraction means a busy machine.
        runs: number of runs, after a warm-up.
        batch: examples per run.
        threads: threads of the runtime.
        device: torch device.
        form: runtime: `eager`, `onnx` or `torch-compile`.
    """

    median_ms: float
    fast_ms: float
    iqr_ms: float
    outliers: float
    runs: int
    batch: int
    threads: int
    device: str
    form: str = EAGER


def time_network(
    network: nn.Module,
    signature: Signature,
    *,
    device: str = "cpu",
    batch: int = 1,
    threads: int | None = None,
    seconds: float = SECONDS,
    form: str = EAGER,
) -> LatencyMeasurement:
    """Time forward passes of a network.

    Args:
        network: the network, which is moved to `device` and put into evaluation mode.
        signature: shapes of its inputs; axes of variable length have length 16.
        device: torch device.
        batch: examples per forward pass.
        threads: threads of the runtime; by default torch's current number.
        seconds: minimal time of measurement.
        form: `eager` for PyTorch, `onnx` for ONNX Runtime, or `torch-compile`.

    Examples:
        >>> from search_spaces import TensorSpec
        >>> takes = Signature((TensorSpec("images", (3, 32, 32)),), 8)
        >>> measured = time_network(nn.Conv2d(3, 8, 3), takes, threads=1, seconds=0.01)
        >>> measured.median_ms > 0, measured.batch, measured.threads
        (True, 1, 1)
    """
    inputs = batch_of(signature, batch, device=device)
    threads = threads or torch.get_num_threads()
    # 1. Build the callable of the runtime, 2. time it, 3. summarize by robust statistics.
    call = runner(network.to(device).eval(), *inputs, form=form, threads=threads)
    times = time_call(call, threads=threads, seconds=seconds)
    fast, low, median, high = np.percentile(times, (100 * FAST, 25, 50, 75))
    # Tukey's rule: outliers are more than 1.5 IQR outside of the quartiles.
    outside = np.abs(times - np.clip(times, low, high)) > 1.5 * (high - low)
    return LatencyMeasurement(
        median_ms=float(median),
        fast_ms=float(fast),
        iqr_ms=float(high - low),
        outliers=float(outside.mean()),
        runs=len(times),
        batch=batch,
        threads=threads,
        device=device,
        form=form,
    )


def time_call(
    function: object, *args: object, threads: int, seconds: float, **kwargs: object
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Time calls of a function after a warm-up, with synchronization of the device.

    Args:
        function: the function.
        *args: its arguments.
        threads: torch threads.
        seconds: minimal time of measurement.
        **kwargs: its keyword arguments.

    Returns:
        Milliseconds per call (runs,).
    """
    from torch.utils.benchmark import Timer  # here: it imports what compiles extensions

    timer = Timer(
        "function(*args, **kwargs)",
        globals={"function": function, "args": args, "kwargs": kwargs},
        num_threads=threads,
    )
    with torch.inference_mode():
        # Three warm-up runs, for caches and lazily initialized kernels.
        timer.timeit(3)
        measurement = timer.blocked_autorange(min_run_time=seconds)
    return np.asarray(measurement.times) * 1e3


@dataclass(frozen=True)
class MeasuredLatency:
    """A latency source that measures the network of each architecture.

    The network is the one that is distilled and exported, including parts without effect.

    Attributes:
        space: the search space.
        signature: shapes of the networks' inputs and outputs.
        device: torch device.
        batch: examples per forward pass.
        threads: threads of the runtime; `None` for torch's current number.
        seconds: minimal time of measurement per network.
        form: runtime: `eager`, `onnx` or `torch-compile`.
        build: builds the network of an architecture; by default the space.
    """

    space: SearchSpace
    signature: Signature
    device: str = "cpu"
    batch: int = 1
    threads: int | None = None
    seconds: float = SECONDS
    form: str = EAGER
    build: Callable[[Architecture], nn.Module] | None = None

    repeatable = False

    @property
    def name(self) -> str:
        """Description: runtime, device, batch and threads."""
        threads = self.threads or torch.get_num_threads()
        return (
            f"measured in {RUNTIMES[self.form]} on {self.device}, batch {self.batch}, "
            f"threads {threads}"
        )

    def __call__(self, arch: Architecture) -> float:
        """Return the median latency of `arch` in milliseconds.

        Raises:
            UnusableNetworkError: its network cannot be built or run.
        """
        return self.measure(arch).median_ms

    def measure(self, arch: Architecture) -> LatencyMeasurement:
        """Measure the network of `arch`; return all statistics.

        Raises:
            UnusableNetworkError: its network cannot be built or run.
        """
        try:
            return time_network(
                self.network(arch),
                self.signature,
                device=self.device,
                batch=self.batch,
                threads=self.threads,
                seconds=self.seconds,
                form=self.form,
            )
        except Exception as error:  # a space of the user's own can raise anything
            raise unusable(self.space, arch, error, form=self.form) from error

    def network(self, arch: Architecture) -> nn.Module:
        """Build the network to time, without changing torch's global generator."""
        # Weights do not affect latency; a fixed seed keeps the caller's generator unchanged.
        with torch_seed(0):
            if self.build is not None:
                return self.build(arch)
            return self.space.network(arch, self.signature)


class UnusableNetworkError(SpaceError):
    """A network that cannot be built or run, so that its latency cannot be measured."""


def unusable(
    space: SearchSpace, arch: Architecture, error: Exception, *, form: str = EAGER
) -> UnusableNetworkError:
    """Return the error for a network that cannot be built or run.

    Args:
        space: the search space.
        arch: the architecture.
        error: the exception that was raised.
        form: the runtime.
    """
    runtime = "" if form == EAGER else f" in {RUNTIMES[form]}"
    other = "" if form == EAGER else ", or --latency eager"
    return UnusableNetworkError(
        f"architecture {space.to_string(arch)}: building and running its network{runtime} raised "
        f"{type(error).__name__}: {first_line(error)}; fix the space, or take a smaller batch"
        f"{other}"
    )


def batch_of(signature: Signature, size: int, *, device: str) -> tuple[Tensor, ...]:
    """Return inputs (size, …) of zeros, or of the smallest valid integer."""
    shapes = signature.example(size, device="meta")
    return tuple(
        torch.full(
            shape.shape,
            True if shape.dtype == torch.bool else spec.low,
            dtype=shape.dtype,
            device=device,
        )
        for spec, shape in zip(signature.inputs, shapes, strict=True)
    )
