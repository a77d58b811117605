"""Teachers from Hugging Face transformers: image classifiers of a folder, or of the Hub."""

from functools import partial

import torch
from torch import Tensor, nn

from diswot.tasks.images._image_spec import ImageSpec
from diswot.tasks.images.teachers._as_trained import AsTrained
from diswot.tasks.images.teachers._image_teacher import ImageTeacher
from diswot.tasks.images.teachers._processor import view_of
from diswot.teachers import library_teacher, transformers_source


def hugging_face(place: str, images: ImageSpec, *, pretrained: bool = True) -> ImageTeacher:
    """Return an image classifier, given images as its processor prepares them.

    Mean, standard deviation, size and crop are those of `preprocessor_config.json`;
    without one, images are normalized as the data's are, and resized to the
    configuration's `image_size` where it has one.

    Args:
        place: a folder that `save_pretrained` wrote, or an id of the Hub.
        images: what the data's images are.
        pretrained: whether its weights are wanted, or are given with it.

    Raises:
        MissingExtraError: transformers is not installed.
        TeacherError: it is no image classifier, or cannot be loaded.
        NetworkError: it does not fit the data.
    """
    with transformers_source(place) as source:
        found = source.classifier(
            "AutoModelForImageClassification",
            classes=images.num_classes,
            pretrained=pretrained,
            adapt=one_headed,
        )
        view = view_of(source.path, found.config, images, local=source.local)
    teacher = library_teacher(
        f"hf:{place}",
        found.network,
        fresh=found.fresh,
        wrap=partial(AsTrained, images=images, **view.settings),
        signature=images.signature,
        notes=view.notes,
    )
    return ImageTeacher.of(teacher, names=found.names)


class JointHead(nn.Module):
    """A distilled transformer whose two heads, of which it gives the mean, are one layer.

    Source: Touvron et al., "Training data-efficient image transformers & distillation
    through attention", ICML 2021, section 4 (late fusion of the two classifiers).

    Args:
        body: its output's `last_hidden_state` begins with the class and distillation tokens.
        heads: the linear layer of each.
    """

    def __init__(self, body: nn.Module, heads: tuple[nn.Linear, nn.Linear]) -> None:
        super().__init__()
        self.body = body
        width = sum(head.in_features for head in heads)
        self.classifier = nn.Linear(width, heads[0].out_features)
        with torch.no_grad():
            self.classifier.weight.copy_(torch.cat([head.weight / 2 for head in heads], dim=1))
            self.classifier.bias.copy_((heads[0].bias + heads[1].bias) / 2)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B, C, H, W) to logits (B, N)."""
        logits: Tensor = self.classifier(self.body(images).last_hidden_state[:, :2].flatten(1))
        return logits


def one_headed(network: nn.Module) -> nn.Module:
    """Return a network that computes the same with one classifier."""
    heads = [getattr(network, f"{name}_classifier", None) for name in ("cls", "distillation")]
    if isinstance(heads[0], nn.Linear) and isinstance(heads[1], nn.Linear):
        body = getattr(network, str(network.base_model_prefix))
        return JointHead(body, (heads[0], heads[1]))
    return network
