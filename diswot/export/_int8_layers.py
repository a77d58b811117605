"""What each layer loses in 8 bits: it alone is quantized, and outputs are compared."""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor, nn

from diswot.export._runners import run_onnx
from diswot.runtimes import quiet
from diswot.tasks import Dataset

QUANTIZED = ("Conv", "Gemm", "MatMul")
"""Operators with weights."""

MOST_EXAMPLES = 1_000
"""Number of validation examples up to which the metric of every layer is measured."""

_COMPARED_ON = 128
"""Validation examples on which outputs are compared."""


@dataclass(frozen=True)
class LayerLoss:
    """What is lost if a layer alone is computed in 8 bits.

    Attributes:
        layer: name of the layer's weights, or of its operation.
        error: root mean square of the differences of outputs, relative to that of the outputs.
        loss: by how much the metric on the validation split gets worse; `None` if that split has
            more than 1,000 examples.
    """

    layer: str
    error: float
    loss: float | None

    def to_json(self) -> dict[str, Any]:
        """Return the values as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "LayerLoss":
        """Make a record from the values of `to_json`."""
        return cls(**{name: values[name] for name in ("layer", "error", "loss")})


def cache_option(path: Path) -> dict[str, Path]:
    """Return the option of `quantize_static` that keeps calibrated ranges, if it has one."""
    from onnxruntime.quantization import quantize_static

    known = inspect.signature(quantize_static).parameters
    return {"calibration_cache_path": path} if "calibration_cache_path" in known else {}


def layer_losses(floats: Path, dataset: Dataset, *, ranges: Path) -> tuple[LayerLoss, ...]:
    """Quantize every layer alone, and compare with the network in fp32.

    Args:
        floats: the ONNX file in fp32.
        dataset: the dataset, whose validation split is used.
        ranges: calibrated ranges that `quantize_static` kept.

    Returns:
        The layers, the largest error first.
    """
    count = min(_COMPARED_ON, dataset.size("val"))
    inputs = dataset.batch("val", torch.arange(count)).inputs
    whole = OnnxFile(floats, dataset.signature.names)
    expected, metric = whole(*inputs), dataset.metrics[0]
    measured = dataset.size("val") <= MOST_EXAMPLES
    before = metric.measure(whole, dataset, "val") if measured else None
    results = []
    with TemporaryDirectory() as folder:
        for layer, path in _each_quantized(floats, ranges, Path(folder)):
            network = OnnxFile(path, dataset.signature.names)
            error = (network(*inputs) - expected).square().mean() / expected.square().mean()
            loss = None
            if before is not None:
                after = metric.measure(network, dataset, "val")
                loss = before.merit - after.merit
            results.append(LayerLoss(layer, float(error.sqrt()), loss))
    return tuple(sorted(results, key=lambda item: item.error, reverse=True))


def _each_quantized(floats: Path, ranges: Path, folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the name of each layer with a file in which it alone has 8 bits."""
    import onnx
    from onnxruntime.quantization import QuantFormat, quantize_static

    graph = onnx.load(floats).graph
    weights = {item.name for item in graph.initializer}
    path = folder / "layer.onnx"
    for node in graph.node:
        if node.op_type not in QUANTIZED or not weights & set(node.input):
            continue
        named = next(name for name in node.input if name in weights)
        with quiet():
            quantize_static(
                floats,
                path,
                None,
                quant_format=QuantFormat.QDQ,
                per_channel=True,
                nodes_to_quantize=[node.name],
                calibration_cache_path=ranges,
            )
        yield named.removesuffix(".weight").removeprefix("network."), path


class OnnxFile(nn.Module):
    """An ONNX file as a module, run in this process."""

    def __init__(self, path: Path, names: Sequence[str]) -> None:
        super().__init__()
        with quiet():
            self._run = run_onnx(path, names)

    def forward(self, *inputs: Tensor) -> Tensor:
        """Map inputs (B, …) to outputs (B, …)."""
        return torch.from_numpy(self._run(*(item.numpy() for item in inputs)))
