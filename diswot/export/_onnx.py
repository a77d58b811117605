"""The student as ONNX, through torch's own exporter."""

import contextlib
import importlib.util
import io
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor, nn

from diswot.errors import ExportError, MissingExtraError, first_line

_NEEDED = ("onnx", "onnxscript", "onnxruntime")


def onnx_available() -> bool:
    """Tell whether the extra `onnx` is installed."""
    return all(importlib.util.find_spec(package) is not None for package in _NEEDED)


def require_onnx() -> None:
    """Make sure that the extra `onnx` is installed.

    Raises:
        MissingExtraError: it is not.
    """
    for package in _NEEDED:
        if importlib.util.find_spec(package) is None:
            raise MissingExtraError(package, "onnx", "ONNX export")


def write_onnx(network: nn.Module, images: Tensor, path: Path) -> None:
    """Write `network` as ONNX that takes any number of images.

    Raises:
        MissingExtraError: the extra `onnx` is not installed.
        ExportError: torch cannot express the network in ONNX.
    """
    require_onnx()
    try:
        with _quiet():
            torch.onnx.export(
                network,
                (images,),
                path,
                dynamo=True,
                input_names=["images"],
                output_names=["logits"],
                dynamic_shapes=({0: torch.export.Dim("batch")},),
                external_data=False,
                verbose=False,
            )
    except Exception as error:
        raise ExportError(
            f"torch cannot write this network as ONNX ({type(error).__name__}: "
            f"{first_line(error)}): export without ONNX (--no-onnx)"
        ) from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's progress and its notes on torchvision off the terminal."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)
