"""The student for the runtimes of devices: OpenVINO, ExecuTorch, LiteRT, Core ML."""

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
    """Turn what a converter raises into an error of one line.

    Raises:
        ExportError: it raised something.
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
    """Write a program for OpenVINO, as `path` with the weights next to it.

    Args:
        program: takes any number of examples.
        path: ends in `.xml`.
        inputs: what its inputs are called.
        output: what its output is called.

    Raises:
        ExportError: OpenVINO cannot convert it.
    """
    with _converting("OpenVINO"):
        import openvino

        model = openvino.convert_model(_plain(program))
        for each, name in zip(model.inputs, inputs, strict=True):
            each.get_tensor().set_names({name})
        model.outputs[0].get_tensor().set_names({output})
        openvino.save_model(model, path, compress_to_fp16=False)


def write_executorch(program: ExportedProgram, path: Path) -> None:
    """Write a program of one example for ExecuTorch, on XNNPACK where it has the operators.

    Raises:
        ExportError: ExecuTorch cannot convert it.
    """
    with _converting("ExecuTorch"):
        from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
        from executorch.exir import to_edge_transform_and_lower

        lowered = to_edge_transform_and_lower(_plain(program), partitioner=[XnnpackPartitioner()])
        path.write_bytes(lowered.to_executorch().buffer)


def write_litert(program: ExportedProgram, path: Path, example: tuple[Tensor, ...]) -> None:
    """Write a program of one example for LiteRT, which was TensorFlow Lite.

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
    """Write a program of one example for Core ML, as an archive of its package.

    Raises:
        ExportError: coremltools cannot convert it.
    """
    with _converting("coremltools"), tempfile.TemporaryDirectory() as folder:
        import coremltools

        named = zip(inputs, example, strict=True)
        model = coremltools.convert(
            _plain(program).run_decompositions({}),
            inputs=[coremltools.TensorType(name=name, shape=each.shape) for name, each in named],
            outputs=[coremltools.TensorType(name=output)],
            convert_to="mlprogram",
            compute_precision=coremltools.precision.FLOAT32,
            minimum_deployment_target=coremltools.target.iOS16,
        )
        model.save(str(Path(folder) / "student.mlpackage"))
        shutil.make_archive(str(path.with_suffix("")), "zip", folder)


def _plain(program: ExportedProgram) -> ExportedProgram:
    """Return a program without operators that only torch has: resizing with antialiasing."""
    table: dict[Any, Callable[..., Any]] = {_RESIZE.default: _resized, _RESIZE.vec: _resized}
    if not any(node.target in table for node in program.graph.nodes):
        return program
    plain: ExportedProgram = program.run_decompositions(table)
    return plain


def _resized(images: Tensor, size: Sequence[int], _align_corners: bool, *_scales: Any) -> Tensor:
    """Resize with antialiasing, as products with one matrix per axis.

    Each output is the mean of inputs weighted by a triangle that is as wide as the scale, but
    at least two inputs: what Pillow and `F.interpolate(antialias=True)` compute.
    """
    height, width = size
    rows, columns = _weights(images.shape[-2], height), _weights(images.shape[-1], width)
    return rows @ images @ columns.T


def _weights(given: int, wanted: int) -> Tensor:
    """Return the weights of inputs for each output along an axis: (wanted, given)."""
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
