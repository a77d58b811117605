"""Conversion of Hugging Face image processors to differentiable tensor operations."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import nn

from diswot.errors import TeacherError
from diswot.tasks.images._image_spec import ImageSpec
from diswot.tasks.images.teachers._as_trained import AsTrained

_INTERPOLATIONS = {2: "bilinear", 3: "bicubic"}
"""Pillow's number → interpolation."""

ROUNDING = 3 / 255
"""Tolerance for processors, which round to integers after each step."""


@dataclass(frozen=True)
class View:
    """Preprocessing of a network.

    Attributes:
        settings: arguments of `AsTrained`.
        notes: notes for the user.
    """

    settings: Mapping[str, Any]
    notes: tuple[str, ...] = ()


def view_of(source: str, config: Any, images: ImageSpec, *, local: bool) -> View:
    """Return the preprocessing of a network in a folder or of a Hub id.

    Args:
        source: folder or Hub id.
        config: config of the network.
        images: spec of the data's images.
        local: whether to read local files only, without downloads.

    Raises:
        TeacherError: the processor does more than resizing, cropping and normalizing.
    """
    from transformers import AutoImageProcessor

    try:
        processor = AutoImageProcessor.from_pretrained(  # type: ignore[no-untyped-call]
            source, trust_remote_code=False, local_files_only=local
        )
    except OSError:  # it has none
        return _without_processor(config, images)
    settings = _settings(processor)
    _check_alike(processor, settings, images, source)
    return View(settings)


def _without_processor(config: Any, images: ImageSpec) -> View:
    side = getattr(getattr(config, "vision_config", config), "image_size", None)
    size = (side, side) if isinstance(side, int) else (tuple(side) if side else images.shape[1:])
    channels = getattr(config, "num_channels", 3)
    gray = images.shape[0] == 1
    settings = {
        "size": size,
        "mean": images.mean * channels if gray else images.mean,
        "std": images.std * channels if gray else images.std,
    }
    return View(
        settings,
        (
            "it has no preprocessor_config.json: images are normalized as the data's, "
            f"{size[0]}×{size[1]} in size",
        ),
    )


def _settings(processor: Any) -> dict[str, Any]:
    def asked(name: str, default: Any = None) -> Any:
        value = getattr(processor, name, default)
        return default if value is None else value

    # Mean and std are given after rescaling; ours are for pixels in [0, 1].
    largest = 255 * asked("rescale_factor", 1 / 255) if asked("do_rescale", True) else 255.0
    mean, std = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    if asked("do_normalize", True):
        mean, std = asked("image_mean", mean), asked("image_std", std)
    settings: dict[str, Any] = {
        "mean": tuple(value / largest for value in mean),
        "std": tuple(value / largest for value in std),
        "interpolation": _INTERPOLATIONS.get(int(asked("resample", 2)), "unknown"),
    }
    size, crop = _sides(asked("size")), _sides(asked("crop_size"))
    if asked("do_resize", True) and size is not None:
        settings["size"] = size
        margin = asked("crop_pct")
        if isinstance(size, int) and margin is not None and size < 384:  # as ConvNeXt's
            settings |= {"size": int(size / margin), "crop": (size, size)}
    if asked("do_center_crop", False) and crop is not None:
        settings["crop"] = (crop, crop) if isinstance(crop, int) else crop
    return settings


def _sides(size: Any) -> int | tuple[int, int] | None:
    """Return (height, width), or the length of the shorter side."""
    if size is None or isinstance(size, int):
        return size
    given = dict(size)
    if "shortest_edge" in given and given["shortest_edge"] is not None:
        return int(given["shortest_edge"])
    return int(given["height"]), int(given["width"])


def _check_alike(
    processor: Any, settings: Mapping[str, Any], images: ImageSpec, source: str
) -> None:
    """Check on a smooth image that our preprocessing equals the processor's."""
    _, height, width = images.shape
    rows, columns = np.mgrid[0:height, 0:width]
    channels = len(settings["mean"])
    phases = range(channels)
    waves = [np.sin(rows / height * 5 + phase) + np.cos(columns / width * 4) for phase in phases]
    image = (128 + 30 * np.stack(waves, axis=-1)).round().astype(np.uint8)
    pixels = replace(
        images, shape=(channels, height, width), mean=(0.0,) * channels, std=(1.0,) * channels
    )
    view = AsTrained(nn.Identity(), pixels, **settings)  # refuses sizes that cannot be
    wanted = processor(image, return_tensors="pt", input_data_format="channels_last")
    seen = view(torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255)
    expected = wanted["pixel_values"].float()
    tolerance = ROUNDING / min(settings["std"])
    if seen.shape != expected.shape or (seen - expected).abs().max() > tolerance:
        raise TeacherError(
            f"the image processor of {source} ({type(processor).__name__}) does more than resize, "
            "crop and normalize: wrap the network yourself (diswot.tasks.images.teachers.AsTrained)"
        )
