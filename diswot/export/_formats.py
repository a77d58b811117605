"""The export formats and their requirements."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from diswot.errors import OptionError, UnknownNameError
from diswot.export._runners import (
    Runner,
    run_archive,
    run_executorch,
    run_litert,
    run_onnx,
    run_openvino,
    run_source,
)
from diswot.runtimes import ONNX_PACKAGES, installed, require


@dataclass(frozen=True)
class Format:
    """An export format.

    Attributes:
        name: name in options and in `config.json`.
        file: name of the file.
        summary: description of the file, for the model card.
        run: loads the file and returns a function that runs it, see `diswot.export._runners`;
            `None` if it only runs on devices.
        runtime: package that runs it, or with which it is written.
        extra: extra of diswot with its packages; empty if none is needed.
        packages: packages with which it is written.
        exact: whether its outputs are those of the network (int8: no).
        is_code: whether loading the file may execute code.
        parts: names of further files.
        alone: whether it accepts only one example at a time.
    """

    name: str
    file: str
    summary: str
    run: Runner | None
    runtime: str
    extra: str = ""
    packages: tuple[str, ...] = ()
    exact: bool = True
    is_code: bool = False
    parts: tuple[str, ...] = ()
    alone: bool = False

    @property
    def files(self) -> tuple[str, ...]:
        """Names of all files of the format."""
        return (self.file, *self.parts)

    def require(self) -> None:
        """Make sure that the format can be written here.

        Raises:
            MissingExtraError: a package of its extra is not installed.
        """
        require(self.packages, self.extra, f"{self.name} export")

    def require_runtime(self) -> None:
        """Make sure that the format can be run here.

        Raises:
            MissingExtraError: its runtime is not installed.
            OptionError: it only runs on devices.
        """
        if self.run is None:
            raise OptionError(f"{self.file} runs only on devices: name another format")
        require((self.runtime,), self.extra, f"running {self.file}")

    @property
    def runs_here(self) -> bool:
        """Whether the format can be run here with the installed packages."""
        return self.run is not None and installed((self.runtime,))


WEIGHTS = "weights.safetensors"

FORMATS: Mapping[str, Format] = {
    each.name: each
    for each in (
        Format(
            "source",
            "student.py",
            "the network as plain PyTorch source",
            run_source,
            "torch",
            is_code=True,
            parts=(WEIGHTS,),
        ),
        Format(
            "pt2",
            "student.pt2",
            "the network as a `torch.export` archive",
            run_archive,
            "torch",
            is_code=True,
        ),
        Format(
            "onnx",
            "student.onnx",
            "the network as ONNX",
            run_onnx,
            "onnxruntime",
            "onnx",
            ONNX_PACKAGES,
        ),
        Format(
            "int8",
            "student.int8.onnx",
            "the network as ONNX, in 8 bits",
            run_onnx,
            "onnxruntime",
            "onnx",
            ONNX_PACKAGES,
            exact=False,
        ),
        Format(
            "openvino",
            "student.xml",
            "the network for OpenVINO",
            run_openvino,
            "openvino",
            "openvino",
            ("openvino",),
            parts=("student.bin",),
        ),
        Format(
            "executorch",
            "student.pte",
            "the network for ExecuTorch, on phones",
            run_executorch,
            "executorch",
            "executorch",
            ("executorch",),
            alone=True,
        ),
        Format(
            "litert",
            "student.tflite",
            "the network for LiteRT (TensorFlow Lite), on phones",
            run_litert,
            "ai_edge_litert",
            "litert",
            ("litert_torch", "ai_edge_litert"),
            alone=True,
        ),
        Format(
            "coreml",
            "student.mlpackage.zip",
            "the network for Core ML, as an archive of its package",
            None,
            "coremltools",
            "coreml",
            ("coremltools",),
            alone=True,
        ),
    )
}
"""Formats by name, in the order in which they are written."""


def find_format(name: str) -> Format:
    """Find a format by name.

    Raises:
        UnknownNameError: no format has this name; the message suggests the nearest one.
    """
    if name not in FORMATS:
        raise UnknownNameError("format", name, FORMATS)
    return FORMATS[name]


def formats_of(files: Iterable[str]) -> list[Format]:
    """Return the formats that files belong to, in the order of the files."""
    known = {item.file: item for item in FORMATS.values()}
    return [known[file] for file in files]
