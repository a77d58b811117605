"""What can run a network here other than PyTorch itself: ONNX Runtime, `torch.compile`."""

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
"""What ONNX is written and run with."""


def installed(packages: Sequence[str]) -> bool:
    """Return whether packages are installed; none is imported."""
    return all(importlib.util.find_spec(package) is not None for package in packages)


def require(packages: Sequence[str], extra: str, purpose: str) -> None:
    """Make sure that packages are installed.

    Args:
        packages: as they are imported.
        extra: of this package, which installs them.
        purpose: what needs them.

    Raises:
        MissingExtraError: one is not.
    """
    for package in packages:
        if not installed((package,)):
            raise MissingExtraError(package, extra, purpose)


def onnx_available() -> bool:
    """Return whether the extra `onnx` is installed."""
    return installed(ONNX_PACKAGES)


def require_onnx(purpose: str = "ONNX export") -> None:
    """Make sure that the extra `onnx` is installed.

    Raises:
        MissingExtraError: it is not.
    """
    require(ONNX_PACKAGES, "onnx", purpose)


def onnx_provider(device: str) -> str | None:
    """Return the execution provider of the installed ONNX Runtime for a device, if it has one."""
    if device == "cpu":  # every installation has it; importing takes a second and leaves files
        return "CPUExecutionProvider"
    import onnxruntime

    wanted = "CUDAExecutionProvider" if device.startswith("cuda") else None
    return wanted if wanted in onnxruntime.get_available_providers() else None


def require_compiler(device: str) -> None:
    """Make sure that `torch.compile` finds the C++ compiler that it needs on a CPU.

    Raises:
        OptionError: it does not.
    """
    compilers = filter(None, (os.environ.get("CXX"), "g++", "clang++"))
    if device == "cpu" and not any(map(shutil.which, compilers)):
        raise OptionError(
            "torch.compile needs a C++ compiler on a CPU, and found none: install g++, or "
            "measure another form"
        )


@contextlib.contextmanager
def _compiled_code_quiet() -> Iterator[None]:
    """Send to nowhere what compiled code writes to standard output: torch's tracer dumps graphs."""
    try:
        kept = os.dup(1)
    except OSError:  # closed
        yield
        return
    try:
        with open(os.devnull, "wb") as nowhere:  # noqa: PTH123  (no path)
            os.dup2(nowhere.fileno(), 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep the exporters' progress and notes off the terminal, also those of compiled code."""
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
            _compiled_code_quiet(),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)
