"""Runtimes other than eager PyTorch (ONNX Runtime, `torch.compile`): are they usable here?"""

import contextlib
import importlib.util
import io
import logging
import os
import shutil
import warnings
from collections.abc import Iterator, Sequence

from diswot.errors import MissingExtraError, OptionError

ONNX_PACKAGES = ("onnx", "onnxscript", "onnxruntime")
"""Packages needed to write and run ONNX files."""


def installed(packages: Sequence[str]) -> bool:
    """Return whether all packages are installed, without importing them."""
    return all(importlib.util.find_spec(package) is not None for package in packages)


def require(packages: Sequence[str], extra: str, purpose: str) -> None:
    """Make sure that packages are installed.

    Args:
        packages: import names.
        extra: the extra of diswot that installs them, such as `onnx`.
        purpose: what needs them, for the message.

    Raises:
        MissingExtraError: one of them is not installed.
    """
    for package in packages:
        if not installed((package,)):
            raise MissingExtraError(package, extra, purpose)


def onnx_available() -> bool:
    """Return whether the extra `onnx` is installed."""
    return installed(ONNX_PACKAGES)


def require_onnx(purpose: str = "ONNX export") -> None:
    """Make sure that the packages of the extra `onnx` are installed.

    Args:
        purpose: what needs them, for the message.

    Raises:
        MissingExtraError: one of them is not installed.
    """
    require(ONNX_PACKAGES, "onnx", purpose)


def onnx_provider(device: str) -> str | None:
    """Return ONNX Runtime's execution provider for a device; `None` if it has none.

    Args:
        device: a torch device, such as `cpu` or `cuda:0`.
    """
    if device == "cpu":  # every installation has it; importing takes a second and leaves files
        return "CPUExecutionProvider"
    import onnxruntime

    wanted = "CUDAExecutionProvider" if device.startswith("cuda") else None
    return wanted if wanted in onnxruntime.get_available_providers() else None


def require_compiler(device: str) -> None:
    """Make sure that `torch.compile` finds the C++ compiler that it needs on a CPU.

    Args:
        device: a torch device; only `cpu` needs a compiler.

    Raises:
        OptionError: there is no compiler.
    """
    compilers = filter(None, (os.environ.get("CXX"), "g++", "clang++"))
    if device == "cpu" and not any(map(shutil.which, compilers)):
        raise OptionError(
            "torch.compile needs a C++ compiler on a CPU, and found none: install g++, or "
            "measure another form"
        )


@contextlib.contextmanager
def _compiled_code_quiet(number: int) -> Iterator[None]:
    """Discard what C++ code writes to a file descriptor, such as graph dumps of torch's tracer."""
    # C++ writes to file descriptors 1 and 2 directly, which `redirect_stdout` does not affect.
    try:
        kept = os.dup(number)
    except OSError:  # it is closed
        yield
        return
    try:
        with open(os.devnull, "wb") as nowhere:  # noqa: PTH123  (no path)
            os.dup2(nowhere.fileno(), number)
        yield
    finally:
        os.dup2(kept, number)
        os.close(kept)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Suppress output, logs and warnings of exporters inside the block, also those of C++ code."""
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
            _compiled_code_quiet(1),
            _compiled_code_quiet(2),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)
