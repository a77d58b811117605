"""Determine the formats to write from the options."""

from collections.abc import Mapping, Sequence

from diswot.errors import ExportError, OptionError
from diswot.export._fine_tuning import require_fine_tuning
from diswot.export._formats import FORMATS, find_format
from diswot.runtimes import onnx_available, require_onnx


def wanted_forms(
    *,
    onnx: bool | None = None,
    pt2: bool | None = None,
    int8: bool = False,
    formats: Sequence[str] | None = None,
) -> dict[str, bool]:
    """Return the formats to write, with whether each was requested explicitly.

    Args:
        onnx: whether to write ONNX; `None` if it is installed.
        pt2: whether to write a `torch.export` archive; `None` unless `onnx` is `False`.
        int8: whether to write quantized ONNX.
        formats: names of all formats, instead of the options above.

    Raises:
        MissingExtraError: a package for a requested format is not installed.
        OptionError: options contradict each other, or have a value of the wrong type.
        UnknownNameError: a format does not exist.
    """
    if not isinstance(int8, bool):
        raise OptionError(
            f"Expected int8 to be True or False, but got {type(int8).__name__}: "
            "pass the calibration data as data="
        )
    if formats is not None:
        return _named(formats, others=onnx is not None or pt2 is not None or int8)
    if int8 and onnx is False:
        raise OptionError("int8 is quantized from ONNX: leave --no-onnx out")
    if onnx or int8:
        require_onnx()
    wanted = {"source": False}
    if pt2 or (pt2 is None and onnx is not False):
        wanted["pt2"] = bool(pt2)
    if onnx or int8 or (onnx is None and onnx_available()):
        wanted["onnx"] = bool(onnx or int8)
    return wanted | ({"int8": True} if int8 else {})


def check_fine_tuning(wanted: Mapping[str, bool], *, qat: bool) -> None:
    """Make sure that int8 can be fine-tuned if that is requested.

    Raises:
        MissingExtraError: torchao is not installed.
        OptionError: int8 is not written.
    """
    if qat and "int8" not in wanted:
        raise OptionError("qat fine-tunes the 8-bit format: add --int8, or leave --qat out")
    if qat:
        require_fine_tuning()


def _named(formats: Sequence[str], *, others: bool) -> dict[str, bool]:
    """Return the formats in a list and the source, in the order in which they are written."""
    if others:
        raise OptionError(
            "formats names everything that is written: leave --onnx, --pt2 and --int8 out"
        )
    if isinstance(formats, str) or not formats:
        raise OptionError(f"Expected formats to be names of formats, but got {formats!r}")
    results = [find_format(name) for name in formats]
    for item in results:
        item.require()
    requested = {item.name for item in results} | ({"onnx"} if "int8" in formats else set())
    return {name: name in requested for name in FORMATS if name in requested or name == "source"}


def check_possible(wanted: Mapping[str, bool], left_out: Mapping[str, str]) -> None:
    """Make sure that some format is possible, and all that were requested explicitly.

    Args:
        wanted: for each format, whether it was requested explicitly.
        left_out: reasons for formats that are not possible.

    Raises:
        ExportError: a requested format is not possible, or none is.
    """
    asked = [name for name, by_name in wanted.items() if by_name and name in left_out]
    for name in asked:
        raise ExportError(f"the student cannot be exported as {name}: {left_out[name]}")
    if wanted.keys() <= left_out.keys():
        reasons = "; ".join(f"{name}: {reason}" for name, reason in left_out.items())
        raise ExportError(f"the student cannot be exported in any form ({reasons})")
