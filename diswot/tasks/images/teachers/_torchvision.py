"""Teachers from torchvision."""

from functools import partial
from typing import Any

from diswot.errors import TeacherError, first_line
from diswot.seeding import torch_seed
from diswot.tasks.images._image_spec import ImageSpec
from diswot.tasks.images.teachers._as_trained import AsTrained
from diswot.tasks.images.teachers._image_teacher import ImageTeacher
from diswot.teachers import check_torch_download, imported, library_teacher


def torchvision(name: str, images: ImageSpec, *, pretrained: bool = True) -> ImageTeacher:
    """Return a network of torchvision with the preprocessing of its weights.

    Args:
        name: name in `torchvision.models.list_models()`.
        images: spec of the data's images.
        pretrained: whether to load its weights; without them, it has the data's classes.

    Raises:
        MissingExtraError: torchvision is not installed, or does not fit torch.
        TeacherError: the network is unknown, or cannot be loaded.
        NetworkError: the network does not fit the data.
    """
    who = f"teacher torchvision:{name}"
    models = find_torchvision(name, pretrained=pretrained)
    try:
        best = models.get_model_weights(name).DEFAULT
        preset, names = best.transforms(), best.meta["categories"]
        num_classes = len(names) if pretrained else images.num_classes
        fresh = partial(models.get_model, name, weights=None, num_classes=num_classes)
        with torch_seed(0):
            network = models.get_model(name, weights=best) if pretrained else fresh()
        wrap = partial(
            AsTrained,
            images=images,
            mean=preset.mean,
            std=preset.std,
            size=preset.resize_size[0],
            crop=(preset.crop_size[0], preset.crop_size[0]),
            interpolation=preset.interpolation.value,
        )
    except Exception as error:  # downloads and networks raise anything
        raise TeacherError(
            f"{who} cannot be made ({first_line(error)}): "
            "name a classifier of torchvision.models.list_models()"
        ) from error
    result = library_teacher(
        f"torchvision:{name}",
        network,
        fresh=fresh,
        wrap=wrap,
        signature=images.signature,
    )
    return ImageTeacher.of(result, names=names if pretrained else None)


def find_torchvision(name: str, *, pretrained: bool) -> Any:
    """Import `torchvision.models`, after checking that a network's weights are available.

    Raises:
        MissingExtraError: torchvision is not installed, or does not fit torch.
        TeacherError: there are no weights, or they cannot be downloaded.
    """
    who = f"teacher torchvision:{name}"
    models = imported("torchvision.models", extra="torchvision", who=who)
    try:
        url = models.get_model_weights(name).DEFAULT.url
    except Exception as error:
        raise TeacherError(
            f"{who} cannot be made ({first_line(error)}): "
            "name a classifier of torchvision.models.list_models()"
        ) from error
    if pretrained:
        check_torch_download(who, url)
    return models
