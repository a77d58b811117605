"""Built-in teachers for images with texts: dual encoders."""

from collections.abc import Mapping

from torch import nn

from diswot.errors import TeacherError
from diswot.tasks.image_text._dual_encoder import TrainedDualEncoder
from diswot.tasks.image_text._hugging_face import check_dual_encoder, hugging_face
from diswot.tasks.image_text._image_text_data import ImageTextData
from diswot.teachers import BuiltIn, Library, TeacherSources
from search_spaces import CifarResNet, TextEncoder

SMALL = 16
"""Largest height of images for which the stem has stride 1; stride 2 is four times faster."""


def dual_medium(data: ImageTextData) -> nn.Module:
    """Return a residual image tower of 32 to 128 channels and a text encoder of 2 layers."""
    return _dual(data, widths=(32, 32, 64, 128), layers=2, hidden=64)


def _dual(
    data: ImageTextData, *, widths: tuple[int, int, int, int], layers: int, hidden: int
) -> nn.Module:
    """Return a dual encoder for the images and the tokenizer of some data.

    Raises:
        TeacherError: the data are not images with texts.
    """
    if not isinstance(data, ImageTextData):
        raise TeacherError("dual encoders need images with texts: choose another teacher")
    channels, height, _ = data.train.images.shape[1:]
    texts = TextEncoder(
        vocabulary=data.tokenizer.vocabulary,
        length=data.length,
        outputs=data.embedding,
        layers=layers,
        hidden=hidden,
        heads=8,
        head_size=8,
        ratio=4,
    )
    images = CifarResNet(
        (1, 1, 1),
        widths=widths,
        num_classes=data.embedding,
        in_channels=channels,
        stem_stride=2 if height > SMALL else 1,
    )
    return TrainedDualEncoder(images, texts, tokenizer=data.tokenizer, length=data.length)


NETWORKS: Mapping[str, BuiltIn] = {
    "dual-medium": BuiltIn(
        "residual image tower of 32 to 128 channels, text encoder of 2 layers; 0.6M parameters",
        dual_medium,
    ),
}

SOURCES = TeacherSources(
    NETWORKS,
    {
        "hf": Library(
            "FOLDER_OR_ID",
            "a dual encoder of Hugging Face transformers, such as CLIP (extra hf)",
            check_dual_encoder,
            hugging_face,
        )
    },
)
"""Possible values of `--teacher` for images with texts."""
