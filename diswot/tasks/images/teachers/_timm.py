"""Teachers from timm (PyTorch Image Models)."""

from functools import partial
from typing import Any

from torch import nn

from diswot.errors import TeacherError, first_line
from diswot.seeding import torch_seed
from diswot.tasks.images._image_spec import ImageSpec
from diswot.tasks.images.teachers._as_trained import AsTrained
from diswot.tasks.images.teachers._image_teacher import ImageTeacher
from diswot.teachers import check_hub_download, check_torch_download, imported, library_teacher

_WEIGHTS = ("model.safetensors", "pytorch_model.bin")
"""File names of timm's weights in repositories of the Hub."""


def timm(name: str, images: ImageSpec, *, pretrained: bool = True) -> ImageTeacher:
    """Return a network of timm with the preprocessing of its weights.

    Args:
        name: name in `timm.list_models()`.
        images: spec of the data's images.
        pretrained: whether to load its weights; without them, it has the data's classes.

    Raises:
        MissingExtraError: timm is not installed.
        TeacherError: the network is unknown, or cannot be loaded.
        NetworkError: the network does not fit the data.
    """
    who = f"teacher timm:{name}"
    library = find_timm(name, pretrained=pretrained)
    own = {} if pretrained else {"num_classes": images.num_classes}
    try:
        with torch_seed(0):
            network = library.create_model(name, pretrained=pretrained, **own)
        config = library.data.resolve_data_config({}, model=network)
    except Exception as error:  # downloads and networks raise anything
        raise TeacherError(
            f"{who} cannot be made ({first_line(error)}): name one of timm.list_models()"
        ) from error
    result = library_teacher(
        f"timm:{name}",
        network,
        fresh=partial(library.create_model, name, num_classes=network.num_classes),
        wrap=partial(_as_trained, config=config, images=images),
        signature=images.signature,
    )
    return ImageTeacher.of(result)


def find_timm(name: str, *, pretrained: bool) -> Any:
    """Import timm, after checking that the weights of a network are cached or downloadable.

    Raises:
        MissingExtraError: timm is not installed.
        TeacherError: there are no weights, or they cannot be downloaded.
    """
    who = f"teacher timm:{name}"
    library = imported("timm", extra="timm", who=who)
    if pretrained:
        _check_weights(library, name, who)
    return library


def _check_weights(library: Any, name: str, who: str) -> None:
    """Check that there are weights, and that they are cached or can be downloaded.

    Raises:
        TeacherError: there are none, or they cannot be downloaded.
    """
    source, _, place = name.rpartition(":")
    if source in ("hf-hub", "hf_hub"):
        _check_hub(who, place.partition("@")[0], None)
    if source:
        return
    try:
        config = library.get_pretrained_cfg(name)
    except Exception:  # noqa: BLE001  (create_model reports invalid names)
        return
    if config is None or config.file or config.state_dict:
        return
    if config.hf_hub_id:
        _check_hub(who, config.hf_hub_id, config.hf_hub_filename)
    elif config.url:
        check_torch_download(who, config.url)
    else:
        raise TeacherError(
            f"{who} has no weights in timm: name a tag of it that has (timm.list_pretrained()), or "
            "give --teacher-weights"
        )


def _check_hub(who: str, location: str, file: str | None) -> None:
    advice = f"run `hf download {location}` on a machine that can, and copy its cache (HF_HOME)"
    check_hub_download(who, location, [file] if file else _WEIGHTS, advice=advice)


def _as_trained(network: nn.Module, *, config: dict[str, Any], images: ImageSpec) -> AsTrained:
    _, height, width = config["input_size"]
    resized = int(height / config["crop_pct"]), int(width / config["crop_pct"])
    squashed = height != width or config.get("crop_mode") == "squash"
    return AsTrained(
        network,
        images,
        mean=config["mean"],
        std=config["std"],
        size=resized if squashed else resized[0],
        crop=(height, width),
        interpolation=config["interpolation"],
    )
