"""The student in 8 bits: post-training quantisation by onnxruntime, and what it costs."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from diswot.data import ImageData, batches
from diswot.distillation import Accuracy, evaluate
from diswot.errors import ExportError, OptionError, first_line
from diswot.runtimes import quiet
from diswot.seeding import generator_for

CALIBRATED_ON = 256
"""Training images by which the ranges of activations are found."""

_AT_ONCE = 32


@dataclass(frozen=True)
class Quantised:
    """What 8 bits cost.

    Attributes:
        accuracy: of `student.int8.onnx`, on the test split.
        float_accuracy: of the network itself, on the same images.
        calibration_images: of the training split, by which ranges were found.
    """

    accuracy: Accuracy
    float_accuracy: Accuracy
    calibration_images: int

    def to_json(self) -> dict[str, Any]:
        """Return what `config.json` holds."""
        return {
            "test_accuracy": self.accuracy.rate,
            "test_accuracy_95": list(self.accuracy.interval),
            "float_test_accuracy": self.float_accuracy.rate,
            "float_test_accuracy_95": list(self.float_accuracy.interval),
            "test_images": self.accuracy.total,
            "calibration_images": self.calibration_images,
        }


def write_int8(network: nn.Module, floats: Path, path: Path, data: ImageData) -> Quantised:
    """Write the ONNX file `floats` with weights and activations of 8 bits, and judge it.

    Weights have a scale per output channel, activations one per tensor: the range over 256
    training images. Operators are wrapped as QuantizeLinear and DequantizeLinear. Source of
    the scheme: Jacob et al., "Quantization and Training of Neural Networks for Efficient
    Integer-Arithmetic-Only Inference", CVPR 2018, eq. 1.

    Raises:
        ExportError: onnxruntime cannot quantise the network.
    """
    from onnxruntime.quantization import QuantFormat, quantize_static

    count = min(CALIBRATED_ON, len(data.train))
    try:
        with quiet():
            quantize_static(
                floats,
                path,
                _calibration(data, count),
                quant_format=QuantFormat.QDQ,
                per_channel=True,
            )
            accuracy = _accuracy(path, data)
    except Exception as error:
        raise ExportError(
            f"onnxruntime cannot quantise this network ({type(error).__name__}: "
            f"{first_line(error)}): export without --int8"
        ) from error
    return Quantised(accuracy, evaluate(network, data, data.test), count)


def check_same_images(data: ImageData, images: object) -> None:
    """Make sure that a student that takes `images` can be calibrated on `data`.

    Raises:
        OptionError: it takes others.
    """
    if data.spec != images:
        raise OptionError(
            f"{data.summary()}, and other shapes, classes or normalisation than the student was "
            "made for: quantise with the data that it was trained on"
        )


def _calibration(data: ImageData, count: int) -> Any:
    """Return a reader of `count` training images, always the same."""
    from onnxruntime.quantization import CalibrationDataReader

    drawn = generator_for("calibration").choice(len(data.train), count, replace=False)

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            parts = np.array_split(np.sort(drawn), -(-count // _AT_ONCE))
            self._parts = iter(parts)

        def get_next(self) -> dict[str, Any] | None:
            part = next(self._parts, None)
            if part is None:
                return None
            return {"images": data.normalise(data.train.images[part]).numpy()}

    return Reader()


def _accuracy(path: Path, data: ImageData) -> Accuracy:
    from onnxruntime import InferenceSession

    session = InferenceSession(path, providers=["CPUExecutionProvider"])
    correct = 0
    for batch in batches(data.test, _AT_ONCE):
        (logits,) = session.run(None, {"images": data.normalise(batch.images).numpy()})
        correct += int((logits.argmax(1) == batch.labels.numpy()).sum())
    return Accuracy(correct, len(data.test))
