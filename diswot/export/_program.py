"""The student as a program of `torch.export`, from which its archive and ONNX are written."""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram

from diswot.errors import ExportError, first_line
from diswot.runtimes import quiet


def export_program(network: nn.Module, images: Tensor) -> ExportedProgram:
    """Return `network` as a program that takes any number of images.

    Raises:
        ExportError: torch cannot export the network.
    """
    try:
        with quiet():
            batch = torch.export.Dim("batch")
            return torch.export.export(network, (images,), dynamic_shapes=({0: batch},))
    except Exception as error:
        raise ExportError(
            f"torch cannot export this network for any number of images ({type(error).__name__}: "
            f"{first_line(error)}): export its source alone (--no-onnx --no-pt2)"
        ) from error


def write_archive(program: ExportedProgram, path: Path) -> None:
    """Write a program as an archive that `torch.export.load` reads.

    Raises:
        ExportError: torch cannot write it.
    """
    try:
        with quiet():
            torch.export.save(program, path)
    except Exception as error:
        raise ExportError(
            f"torch cannot write the archive {path.name} ({type(error).__name__}: "
            f"{first_line(error)}): export without it (--no-pt2)"
        ) from error
