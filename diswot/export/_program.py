"""Convert students to `ExportedProgram`s, from which most formats are written."""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram

from diswot.errors import ExportError, first_line
from diswot.networks.copies import copied
from diswot.runtimes import quiet
from search_spaces import Signature


def export_program(
    network: nn.Module,
    inputs: tuple[Tensor, ...],
    signature: Signature,
    *,
    single: bool = False,
    shorter: bool = False,
) -> ExportedProgram:
    """Return `network` as an `ExportedProgram`.

    Args:
        network: the network.
        inputs: example inputs, each (B, …).
        signature: says which axes have variable length.
        single: whether the number of examples is fixed to that of `inputs`; by default it is
            variable.
        shorter: whether all axes have variable length, up to that of `inputs`.

    Raises:
        ExportError: torch cannot export the network.
    """
    batch = torch.export.Dim("batch")
    shapes = tuple(
        {0: batch}
        | {
            index: torch.export.Dim.DYNAMIC
            for index, axis in enumerate(spec.shape, start=1)
            if axis is None or shorter
        }
        for spec in signature.inputs
    )
    failures: list[Exception] = []
    for strict in (False, True):  # strict mode traces bytecode, which also supports len(x)
        try:
            with quiet(), torch.no_grad():
                return torch.export.export(
                    copied(network),
                    inputs,
                    dynamic_shapes=None if single else (shapes,),
                    strict=strict,
                )
        except Exception as error:  # noqa: BLE001  (torch runs the network's own code)
            failures.append(error)
    raise ExportError(
        "torch.export cannot express the network for any number of examples "
        f"({type(failures[0]).__name__}: {first_line(failures[0])})"
    ) from failures[0]


def write_archive(program: ExportedProgram, path: Path) -> None:
    """Write a program as an archive for `torch.export.load`.

    Raises:
        ExportError: torch cannot write it.
    """
    try:
        with quiet():
            torch.export.save(program, path)
    except Exception as error:
        raise ExportError(
            f"torch cannot write the archive ({type(error).__name__}: {first_line(error)})"
        ) from error
