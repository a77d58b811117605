"""How images become what the student takes: described for programs, and as a script."""

import inspect
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from diswot.export._templates import render
from diswot.tasks.images import ImageData, ImageSpec, fitted

_SAMPLE = 10_000
"""Images of which the range of values is looked at."""


def preprocessing(images: ImageSpec, data: ImageData | None) -> dict[str, Any]:
    """Return all that is done to an image before the student sees it, as plain values.

    Pictures are decoded as those of a folder are. Where the dataset holds numbers that are no
    pixels of 8 bits, they are pixels divided by 255 if they lie from 0 to 1; otherwise what
    made them is not known here, and `photo` is false.

    Args:
        images: the images that the student takes.
        data: what it was trained on, where that is known.
    """
    channels, height, width = images.shape
    low, high, divisor = _values(images, data)
    return {
        "photo": divisor is not None and channels in (1, 3),
        "color": {1: "grayscale", 3: "RGB"}.get(channels, f"{channels} channels"),
        "depth": 16 if data is None else data.depth,
        "orientation": "upright, as EXIF data say",
        "transparency": "laid on white",
        "resize": {
            "height": height,
            "width": width,
            "fit": "the shorter side fits, the aspect ratio is kept",
            "interpolation": "bilinear",
            "antialias": True,
        },
        "crop": "center",
        "value_range": None if low is None else [low, high],
        "pixel_divisor": divisor,
        "scale": images.scale,
        "mean": list(images.mean),
        "std": list(images.std),
        "formula": "(value / scale - mean) / std, per channel",
        "layout": "NCHW",
        "dtype": "float32",
    }


def write_script(files: Sequence[str], described: Mapping[str, Any]) -> str:
    """Return the script that opens a photo and prints its class.

    Args:
        files: what it can load; the first one is its default.
        described: what `preprocessing` returned.
    """
    needs = {"onnxruntime" if file.endswith(".onnx") else "PyTorch" for file in files}
    return render(
        "predict.py.j2",
        files=files,
        photo=described["photo"],
        needs=" or ".join(sorted(needs, reverse=files[0].endswith(".onnx"))),
        reader=source_of(fitted),
    )


def source_of(function: Callable[..., Any]) -> str:
    """Return the source of a function, after that of all of its module that it uses.

    Modules and classes that it names are left to be imported.
    """
    needed: dict[str, str] = {}

    def visit(name: str, value: Any) -> None:
        if name in needed:
            return
        if not isinstance(value, types.FunctionType):
            needed[name] = f"{name} = {value!r}\n"
            return
        needed[name] = ""  # its place is taken: functions may name each other
        for each in value.__code__.co_names:
            found = value.__globals__.get(each)
            if isinstance(found, types.FunctionType | tuple | int | str | float):
                visit(each, found)
        needed[name] = f"\n\n{inspect.getsource(value)}"

    visit(function.__name__, function)
    return "".join(sorted(needed.values(), key=lambda text: text.startswith("\n")))


def _values(
    images: ImageSpec, data: ImageData | None
) -> tuple[float | None, float | None, float | None]:
    """Return the lowest and highest value of images, and what pixels of 8 bits are divided by."""
    if data is None:
        return (0.0, 255.0, 1.0) if images.scale == 255 else (None, None, None)
    sample = data.train.images[:: -(-len(data.train) // _SAMPLE)]
    low, high = float(sample.min()), float(sample.max())
    largest = images.scale  # what datasets of pixels are divided by is their largest value
    if low >= 0 and high <= largest and largest in (1, 255):
        return 0.0, largest, 255 / largest
    return low, high, None
