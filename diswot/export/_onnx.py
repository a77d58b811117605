"""Write students as ONNX with torch's exporter."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch.export import ExportedProgram

from diswot.errors import ExportError, first_line
from diswot.runtimes import quiet


def write_onnx(program: ExportedProgram, path: Path, *, inputs: Sequence[str], output: str) -> None:
    """Write a program as ONNX for any number of examples.

    Args:
        program: the network.
        path: the file.
        inputs: names of the inputs.
        output: name of the output.

    Raises:
        ExportError: torch cannot convert the network to ONNX.
    """
    try:
        with quiet():
            torch.onnx.export(
                program,
                (),
                path,
                dynamo=True,
                input_names=list(inputs),
                output_names=[output],
                external_data=False,
                verbose=False,
            )
    except Exception as error:
        reason: BaseException = error
        while reason.__cause__ is not None:  # torch wraps the cause in general advice
            reason = reason.__cause__
        raise ExportError(
            f"torch cannot write it as ONNX ({type(reason).__name__}: {first_line(reason)})"
        ) from error
