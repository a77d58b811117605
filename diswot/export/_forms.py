"""Write the formats of one network."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypedDict

from safetensors.torch import save
from torch import Tensor
from torch.export import ExportedProgram

from diswot.errors import ExportError
from diswot.export._devices import (
    write_coreml,
    write_executorch,
    write_litert,
    write_openvino,
)
from diswot.export._fine_tuning import Quantization, fine_tuned
from diswot.export._formats import FORMATS, WEIGHTS
from diswot.export._int8 import write_int8
from diswot.export._int8_layers import LayerLoss, OnnxFile
from diswot.export._network import OutputOnly, cases_of, outputs_of
from diswot.export._onnx import write_onnx
from diswot.export._program import export_program, write_archive
from diswot.export._source import weights_of, write_source
from diswot.runs.folder import write_json
from diswot.tasks import Dataset, Measure, Packaging

_TYPES = {"float32": "F32", "float64": "F64", "float16": "F16", "bfloat16": "BF16"} | {
    "int64": "I64", "int32": "I32", "int16": "I16", "int8": "I8", "uint8": "U8", "bool": "BOOL"
}  # fmt: skip


class _Names(TypedDict):
    """Names of inputs and output."""

    inputs: Sequence[str]
    output: str


@dataclass(frozen=True)
class Form:
    """Measurements of one exported format, which ran in a separate process.

    Attributes:
        file: name of the file.
        bytes: total size of its files.
        milliseconds: median latency of one example on this machine's CPU; `None` if the format
            does not run here.
        threads: threads used for the latency.
        difference: largest deviation of its outputs from the network's, relative to the largest
            output; `None` for int8, which differs by design.
        measure: metric on the test split; `None` without data.
        layers: of int8, what each layer loses if it alone is quantized, the largest first.
        quantization: of int8, the metric on the validation split with and without fine-tuning.
    """

    file: str
    bytes: int
    milliseconds: float | None = None
    threads: int | None = None
    difference: float | None = None
    measure: Measure | None = None
    layers: tuple[LayerLoss, ...] = ()
    quantization: Quantization | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the measurements as JSON values."""
        known = dict(vars(self))
        known.pop("measure")
        if (quantization := known.pop("quantization")) is not None:
            known["quantization"] = quantization.to_json()
        if layers := known.pop("layers"):
            known["layers"] = [layer.to_json() for layer in layers]
        return known | ({} if self.measure is None else self.measure.entries("test"))


class Forms:
    """Writes the formats of one network into a folder.

    Args:
        network: the network to export.
        folder: the folder.
        packaging: the task's part: inputs, outputs and templates.
        architecture: name of the architecture.
        dataset: the dataset for the calibration of int8; `None` without data.
        qat: whether int8 is fine-tuned if it loses more than one point.

    Raises:
        ExportError: the network does not run on a batch and on one example.
    """

    def __init__(
        self,
        network: OutputOnly,
        folder: Path,
        packaging: Packaging,
        *,
        architecture: str,
        dataset: Dataset | None = None,
        qat: bool = False,
    ) -> None:
        self.network, self.folder = network, folder
        self.architecture, self.dataset = architecture, dataset
        self.layers: tuple[LayerLoss, ...] = ()
        self.quantization: Quantization | None = None
        self._qat = qat
        try:
            self._take(packaging)
        except ExportError:
            if not packaging.shorter:
                raise
            self._take(replace(packaging, shorter=False))

    def _take(self, packaging: Packaging) -> None:
        """Run the network on the inputs of every format, and export it if these have many lengths.

        Raises:
            ExportError: one of these fails.
        """
        self.packaging, self.cases = packaging, cases_of(packaging)
        self.expected = outputs_of(self.network, self.cases)
        self._program: ExportedProgram | ExportError | None = None
        if packaging.shorter:
            self.program()

    def write(self, form: str) -> None:
        """Write one format.

        Args:
            form: name of the format.

        Raises:
            ExportError: it is not possible for this network.
        """
        writers: Mapping[str, Callable[[Path], None]] = {
            "source": self._write_source,
            "pt2": lambda path: write_archive(self.program(), path),
            "onnx": self._write_onnx,
            "int8": self._write_int8,
            "openvino": lambda path: write_openvino(self.program(), path, **self._names),
            "executorch": lambda path: write_executorch(self._single(), path),
            "litert": lambda path: write_litert(self._single(), path, self.cases[1]),
            "coreml": lambda path: write_coreml(self._single(), path, self.cases[1], **self._names),
        }
        writers[form](self.folder / FORMATS[form].file)

    def program(self) -> ExportedProgram:
        """Return the network as an `ExportedProgram` for any number of examples.

        Raises:
            ExportError: `torch.export` fails.
        """
        if self._program is None:
            signature, shorter = self.packaging.signature, self.packaging.shorter
            try:
                self._program = export_program(
                    self.network, self.cases[0], signature, shorter=shorter
                )
            except ExportError as error:
                self._program = error
        if isinstance(self._program, ExportError):
            raise ExportError(str(self._program)) from self._program
        return self._program

    def write_weights(self, weights: Mapping[str, Tensor] | None = None) -> None:
        """Write weights and their description; by default the network's state dict."""
        if weights is None:
            weights = weights_of(self.network.network)
        # config.json has the digest of the weights, so that the loader detects damaged files.
        content = save(dict(weights))
        (self.folder / WEIGHTS).write_bytes(content)
        write_json(self.folder / "config.json", {"weights": _described(weights, content)})

    def _write_source(self, path: Path) -> None:
        source = write_source(
            self.network,
            self.program,
            self.cases,
            expected=self.expected,
            packaging=self.packaging,
            architecture=self.architecture,
        )
        path.write_text(source.text, "utf-8")
        self.write_weights(source.weights)

    def _write_onnx(self, path: Path) -> None:
        write_onnx(self.program(), path, **self._names)

    @property
    def _names(self) -> _Names:
        return {"inputs": self.packaging.signature.names, "output": self.packaging.output}

    def _single(self) -> ExportedProgram:
        """Return the network as an `ExportedProgram` for one example.

        Raises:
            ExportError: `torch.export` fails, or examples have no fixed size.
        """
        if any(None in spec.shape for spec in self.packaging.signature.inputs):
            raise ExportError("it takes inputs of one size only, but the network takes any size")
        return export_program(self.network, self.cases[1], self.packaging.signature, single=True)

    def _write_int8(self, path: Path) -> None:
        floats = self.folder / FORMATS["onnx"].file
        if self.dataset is None or not floats.exists():
            raise ExportError("it is quantized from ONNX, which was not written")
        self.layers = write_int8(floats, path, self.dataset)
        self.quantization = self._evaluated(floats, path, self.dataset)

    def _evaluated(self, floats: Path, path: Path, dataset: Dataset) -> Quantization:
        """Evaluate int8 on the validation split; fine-tune it if that is wanted and needed."""
        metric, names = dataset.metrics[0], dataset.signature.names

        def measured(file: Path) -> Measure:
            return metric.measure(OnnxFile(file, names), dataset, "val")

        found = Quantization(measured(floats), measured(path))
        if not (self._qat and found.is_large):
            return found
        network = fine_tuned(self.network, dataset)
        signature, shorter = self.packaging.signature, self.packaging.shorter
        program = export_program(network, self.cases[0], signature, shorter=shorter)
        with TemporaryDirectory() as folder:
            tuned, rounded = Path(folder) / floats.name, Path(folder) / path.name
            write_onnx(program, tuned, **self._names)
            layers = write_int8(tuned, rounded, dataset)
            found = replace(found, after=measured(rounded))
            if found.is_improved:
                path.write_bytes(rounded.read_bytes())
                self.layers = layers
        return found


def _described(weights: Mapping[str, Tensor], content: bytes) -> dict[str, Any]:
    """Return digest, types and shapes, which `load()` of the source verifies."""
    tensors = {
        name: [_TYPES[str(tensor.dtype).removeprefix("torch.")], list(tensor.shape)]
        for name, tensor in weights.items()
    }
    return {"sha256": hashlib.sha256(content).hexdigest(), "tensors": tensors}
