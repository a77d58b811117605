"""Teachers from Hugging Face transformers: image classifiers of a folder or the Hub."""

from functools import partial

import torch
from torch import Tensor, nn

from diswot.tasks.images._image_spec import ImageSpec
from diswot.tasks.images.teachers._as_trained import AsTrained
from diswot.tasks.images.teachers._image_teacher import ImageTeacher
from diswot.tasks.images.teachers._processor import view_of
from diswot.teachers import library_teacher, transformers_source


def hugging_face(location: str, images: ImageSpec, *, pretrained: bool = True) -> ImageTeacher:
    """Return an image classifier with the preprocessing of its image processor.

    Mean, standard deviation, size and crop are those of `preprocessor_config.json`; without
    it, images are normalized like the data's, and resized to `image_size` of the config, if
    it has one.

    Args:
        location: folder of `save_pretrained`, or id of the Hub.
        images: spec of the data's images.
        pretrained: whether to load its weights.

    Raises:
        MissingExtraError: transformers is not installed.
        TeacherError: it is not an image classifier, or cannot be loaded.
        NetworkError: the network does not fit the data.
    """
    with transformers_source(location) as source:
        result = source.classifier(
            "AutoModelForImageClassification",
            classes=images.num_classes,
            pretrained=pretrained,
            adapt=one_headed,
        )
        view = view_of(source.path, result.config, images, local=source.local)
    teacher = library_teacher(
        f"hf:{location}",
        result.network,
        fresh=result.fresh,
        wrap=partial(AsTrained, images=images, **view.settings),
        signature=images.signature,
        notes=view.notes,
    )
    return ImageTeacher.of(teacher, names=result.names)


class JointHead(nn.Module):
    """A distilled transformer (DeiT) whose two averaged heads are merged into one linear layer.

    Source: Touvron et al., "Training data-efficient image transformers & distillation
    through attention", ICML 2021, section 4 (late fusion of the two classifiers).

    Args:
        body: network whose `last_hidden_state` begins with the class and distillation tokens.
        heads: linear classifiers of the two tokens.
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
    """Return an equivalent network with one classifier."""
    heads = [getattr(network, f"{name}_classifier", None) for name in ("cls", "distillation")]
    if isinstance(heads[0], nn.Linear) and isinstance(heads[1], nn.Linear):
        body = getattr(network, str(network.base_model_prefix))
        return JointHead(body, (heads[0], heads[1]))
    return network
