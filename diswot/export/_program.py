"""The student as a program of `torch.export`, from which its archive and ONNX are written."""

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram

from diswot.errors import ExportError, first_line


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


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep the exporters' progress and notes off the terminal."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)
