"""Write students for runtimes of devices: OpenVINO, ExecuTorch, LiteRT, Core ML."""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.export import ExportedProgram

from diswot.errors import ExportError, first_line
from diswot.runtimes import quiet

_RESIZE = torch.ops.aten._upsample_bilinear2d_aa


@contextmanager
def _converting(library: str) -> Iterator[None]:
    """Turn exceptions of a converter inside the block into one-line errors.

    Raises:
        ExportError: the converter raised an exception.
    """
    try:
        with quiet(), torch.no_grad():
            yield
    except Exception as error:
        raise ExportError(
            f"{library} cannot convert it ({type(error).__name__}: {_reason(error)})"
        ) from error


def write_openvino(
    program: ExportedProgram, path: Path, *, inputs: Sequence[str], output: str
) -> None:
    """Write a program for OpenVINO: an `.xml` file with weights in a `.bin` file next to it.

    Args:
        program: the network, for any number of examples.
        path: the `.xml` file.
        inputs: names of the inputs.
        output: name of the output.

    Raises:
        ExportError: OpenVINO cannot convert it.
    """
    with _converting("OpenVINO"):
        import openvino

        model = openvino.convert_model(_plain(program))
        for item, name in zip(model.inputs, inputs, strict=True):
            item.get_tensor().set_names({name})
        model.outputs[0].get_tensor().set_names({output})
        openvino.save_model(model, path, compress_to_fp16=False)


def write_executorch(program: ExportedProgram, path: Path) -> None:
    """Write a program for one example for ExecuTorch, with XNNPACK for supported operators.

    Raises:
        ExportError: ExecuTorch cannot convert it.
    """
    with _converting("ExecuTorch"):
        from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
        from executorch.exir import to_edge_transform_and_lower

        lowered = to_edge_transform_and_lower(_plain(program), partitioner=[XnnpackPartitioner()])
        path.write_bytes(lowered.to_executorch().buffer)


def write_litert(program: ExportedProgram, path: Path, example: tuple[Tensor, ...]) -> None:
    """Write a program for one example for LiteRT (formerly TensorFlow Lite).

    Raises:
        ExportError: LiteRT cannot convert it.
    """
    with _converting("LiteRT"):
        import litert_torch

        litert_torch.convert(_plain(program).module(), example).export(str(path))


def write_coreml(
    program: ExportedProgram,
    path: Path,
    example: tuple[Tensor, ...],
    *,
    inputs: Sequence[str],
    output: str,
) -> None:
    """Write a program for one example for Core ML, as a zip archive of its package.

    Raises:
        ExportError: coremltools cannot convert it.
    """
    with _converting("coremltools"), tempfile.TemporaryDirectory() as folder:
        import coremltools

        named = zip(inputs, example, strict=True)
        model = coremltools.convert(
            _plain(program).run_decompositions({}),
            inputs=[coremltools.TensorType(name=name, shape=item.shape) for name, item in named],
            outputs=[coremltools.TensorType(name=output)],
            convert_to="mlprogram",
            compute_precision=coremltools.precision.FLOAT32,
            minimum_deployment_target=coremltools.target.iOS16,
        )
        model.save(str(Path(folder) / "student.mlpackage"))
        shutil.make_archive(str(path.with_suffix("")), "zip", folder)


def _plain(program: ExportedProgram) -> ExportedProgram:
    """Replace antialiased resizing, which the converters do not support, by matrix products."""
    table: dict[Any, Callable[..., Any]] = {_RESIZE.default: _resized, _RESIZE.vec: _resized}
    if not any(node.target in table for node in program.graph.nodes):
        return program
    plain: ExportedProgram = program.run_decompositions(table)
    return plain


def _resized(images: Tensor, size: Sequence[int], _align_corners: bool, *_scales: Any) -> Tensor:
    """Resize with antialiasing, as a product with one matrix per axis.

    Each output is a weighted mean of inputs, with a triangular kernel as wide as the scale (at
    least two inputs), as computed by Pillow and `F.interpolate(antialias=True)`.
    """
    height, width = size
    rows, columns = _weights(images.shape[-2], height), _weights(images.shape[-1], width)
    return rows @ images @ columns.T


def _weights(given: int, wanted: int) -> Tensor:
    """Return the weight matrix (wanted, given) of one axis, with rows that sum to 1."""
    scale = given / wanted
    centers = (torch.arange(wanted, dtype=torch.float32) + 0.5) * scale
    distances = (torch.arange(given, dtype=torch.float32) + 0.5 - centers[:, None]).abs()
    triangle = (1 - distances / max(scale, 1.0)).clamp(min=0.0)
    return triangle / triangle.sum(1, keepdim=True)


def _reason(error: BaseException) -> str:
    """Return the line of a converter's message that names what it cannot convert."""
    lines = [line.strip(" -") for line in str(error).splitlines()]
    reported = [line for line in lines if "No conversion rule" in line or "not found" in line]
    return reported[0] if reported else first_line(error)
