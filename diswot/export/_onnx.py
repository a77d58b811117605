"""The student as ONNX, through torch's own exporter."""

import importlib.util
from pathlib import Path

import torch
from torch.export import ExportedProgram

from diswot.errors import ExportError, MissingExtraError, first_line
from diswot.export._program import quiet

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


def write_onnx(program: ExportedProgram, path: Path) -> None:
    """Write a program as ONNX that takes any number of images.

    Raises:
        ExportError: torch cannot express the network in ONNX.
    """
    try:
        with quiet():
            torch.onnx.export(
                program,
                (),
                path,
                dynamo=True,
                input_names=["images"],
                output_names=["logits"],
                external_data=False,
                verbose=False,
            )
    except Exception as error:
        raise ExportError(
            f"torch cannot write this network as ONNX ({type(error).__name__}: "
            f"{first_line(error)}): export without ONNX (--no-onnx)"
        ) from error
