"""Teachers from timm (PyTorch Image Models)."""

from functools import partial
from typing import Any

from torch import nn

from diswot.data import ImageSpec
from diswot.errors import TeacherError, first_line
from diswot.seeding import torch_seed
from diswot.teachers._as_trained import AsTrained
from diswot.teachers._libraries import imported, library_teacher
from diswot.teachers._teacher import Teacher


def timm(name: str, images: ImageSpec, *, pretrained: bool = True) -> Teacher:
    """Return a network of timm's, shown images as its weights were trained with them.

    Args:
        name: as `timm.list_models()` has it.
        images: what the data's images are.
        pretrained: whether it comes with its weights; without, it has the data's classes.

    Raises:
        MissingExtraError: timm is not installed.
        TeacherError: there is no such network, or it cannot be loaded.
        NetworkError: it does not fit the data.
    """
    who = f"teacher timm:{name}"
    library = imported("timm", extra="timm", who=who)
    own = {} if pretrained else {"num_classes": images.num_classes}
    try:
        with torch_seed(0):
            network = library.create_model(name, pretrained=pretrained, **own)
        config = library.data.resolve_data_config({}, model=network)
    except Exception as error:  # downloads and networks raise anything
        raise TeacherError(
            f"{who} cannot be made ({first_line(error)}): name one of timm.list_models()"
        ) from error
    return library_teacher(
        f"timm:{name}",
        network,
        fresh=partial(library.create_model, name, num_classes=network.num_classes),
        shown=partial(_shown, config=config, images=images),
        images=images,
        names=None,
    )


def _shown(network: nn.Module, *, config: dict[str, Any], images: ImageSpec) -> AsTrained:
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
