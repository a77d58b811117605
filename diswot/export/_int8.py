"""int8 post-training quantization with onnxruntime."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from diswot.errors import ExportError, first_line
from diswot.export._int8_layers import LayerLoss, cache_option, layer_losses
from diswot.runtimes import quiet
from diswot.seeding import generator_for
from diswot.tasks import Dataset

CALIBRATED_ON = 256
"""Number of training examples for calibrating the ranges of activations."""

_AT_ONCE = 32


def write_int8(floats: Path, path: Path, dataset: Dataset) -> tuple[LayerLoss, ...]:
    """Quantize weights and activations of an ONNX file to 8 bits.

    Weights have one scale per output channel; activations one per tensor, from their range over
    256 training examples. Operators are surrounded by QuantizeLinear and DequantizeLinear
    (QDQ format). Source of the scheme: Jacob et al., "Quantization and Training of Neural
    Networks for Efficient Integer-Arithmetic-Only Inference", CVPR 2018, eq. 1.

    Args:
        floats: the ONNX file in fp32.
        path: the file to write.
        dataset: the dataset for calibration.

    Returns:
        What each layer loses if it alone is quantized; nothing if onnxruntime is too old for
        that.

    Raises:
        ExportError: onnxruntime cannot quantize the network.
    """
    from onnxruntime.quantization import QuantFormat, quantize_static

    try:
        with TemporaryDirectory() as folder:
            ranges = Path(folder) / "ranges.json"
            cache = cache_option(ranges)
            with quiet():
                quantize_static(
                    floats,
                    path,
                    _calibration(dataset, calibration_examples(dataset)),
                    quant_format=QuantFormat.QDQ,
                    per_channel=True,
                    **cache,
                )
            return layer_losses(floats, dataset, ranges=ranges) if cache else ()
    except Exception as error:
        raise ExportError(
            f"onnxruntime cannot quantize it ({type(error).__name__}: {first_line(error)})"
        ) from error


def calibration_examples(dataset: Dataset) -> int:
    """Return the number of training examples used for calibration."""
    return min(CALIBRATED_ON, dataset.size("train"))


def _calibration(dataset: Dataset, count: int) -> Any:
    """Return onnxruntime's reader of `count` training examples, from a fixed seed."""
    from onnxruntime.quantization import CalibrationDataReader

    drawn = generator_for("calibration").choice(dataset.size("train"), count, replace=False)

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            parts = np.array_split(np.sort(drawn), -(-count // _AT_ONCE))
            self._parts = iter(parts)

        def get_next(self) -> dict[str, Any] | None:
            part = next(self._parts, None)
            if part is None:
                return None
            inputs = dataset.batch("train", torch.from_numpy(part)).inputs
            named = zip(dataset.signature.names, inputs, strict=True)
            return {name: item.numpy() for name, item in named}

    return Reader()
