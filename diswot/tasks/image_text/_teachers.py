"""Built-in teachers for images with texts: dual encoders."""

from collections.abc import Mapping

from torch import nn

from diswot.errors import TeacherError
from diswot.tasks.image_text._dual_encoder import TrainedDualEncoder
from diswot.tasks.image_text._image_text_data import ImageTextData
from diswot.teachers import BuiltIn, TeacherSources
from search_spaces import MobileSpace, Signature, TensorSpec, TextEncoderSpace


def dual_medium(data: ImageTextData) -> nn.Module:
    """Return a MobileNetV2-like image tower and a text encoder of 2 layers and 64 channels."""
    return _dual(data, width=0.5, layers=2, hidden=64)


def _dual(data: ImageTextData, *, width: float, layers: int, hidden: int) -> nn.Module:
    if not isinstance(data, ImageTextData):
        raise TeacherError("dual encoders need images with texts: choose another teacher")
    shape = data.train.images.shape[1:]
    side = shape[1]
    images = MobileSpace(image_size=side, resolutions=(side,))
    texts = TextEncoderSpace(
        layers=(layers,), hidden=(hidden,), heads=(8,), ratios=(4,), head_size=8
    )
    inputs = (
        TensorSpec("input_ids", (data.length,), "int64", high=data.tokenizer.vocabulary),
        TensorSpec("attention_mask", (data.length,), "bool"),
    )
    return TrainedDualEncoder(
        images.network(
            images.architecture(side, width, False, "relu", *["d1k3e4"] * 5),
            Signature((TensorSpec("images", tuple(shape)),), data.embedding),
        ),
        texts.network(texts.architecture(layers, hidden, 8, 4), Signature(inputs, data.embedding)),
        tokenizer=data.tokenizer,
        length=data.length,
    )


NETWORKS: Mapping[str, BuiltIn] = {
    "dual-medium": BuiltIn(
        "MobileNetV2-like image tower and transformer text tower of 2 layers; 0.3M parameters",
        dual_medium,
    ),
}

SOURCES = TeacherSources(NETWORKS)
"""Possible values of `--teacher` for images with texts."""
