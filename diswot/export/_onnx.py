"""The student as ONNX, through torch's own exporter."""

from pathlib import Path

import torch
from torch.export import ExportedProgram

from diswot.errors import ExportError, first_line
from diswot.runtimes import quiet


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
