"""The formats that a student can be exported in."""

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
    """One format.

    Attributes:
        name: what it is called in options and in `config.json`.
        file: what is written, and loaded.
        summary: what the file is, for the card.
        run: returns what runs the file, see `diswot.export._runners`; `None` where nothing
            does but devices.
        runtime: the package that runs it, or that it is written with.
        extra: that holds its packages; empty where none is needed.
        packages: that it is written with.
        exact: whether it gives the outputs of the network; 8 bits do not.
        is_code: whether to load the file may execute what it holds.
        parts: other files that are written and read with it.
        alone: whether it takes one example at a time.
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
        """Every file that the format consists of."""
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
            OptionError: it has none here.
        """
        if self.run is None:
            raise OptionError(f"{self.file} runs on devices alone: name another format")
        require((self.runtime,), self.extra, f"running {self.file}")

    @property
    def runs_here(self) -> bool:
        """Whether its runtime is installed."""
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
"""Every format by name, in the order in which they are written."""


def find_format(name: str) -> Format:
    """Return a format.

    Raises:
        UnknownNameError: there is none of that name; the message has the nearest one.
    """
    if name not in FORMATS:
        raise UnknownNameError("format", name, FORMATS)
    return FORMATS[name]


def formats_of(files: Iterable[str]) -> list[Format]:
    """Return the formats of files, in the order of the files."""
    known = {each.file: each for each in FORMATS.values()}
    return [known[file] for file in files]
