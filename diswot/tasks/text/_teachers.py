"""Built-in teachers for texts."""

from collections.abc import Mapping

from torch import nn

from diswot.errors import TeacherError
from diswot.tasks.text._hugging_face import hugging_face, is_classifier
from diswot.teachers import BuiltIn, Library, TeacherSources, find_transformers
from search_spaces import Signature, TextEncoderSpace


def encoder_medium(signature: Signature) -> nn.Module:
    """Return an encoder of 4 layers, 64 channels and 8 heads.

    Examples:
        >>> from search_spaces import TensorSpec
        >>> network = encoder_medium(Signature((TensorSpec("input_ids", (32,), "int64", high=2000),
        ...                                     TensorSpec("attention_mask", (32,), "bool")), 12))
        >>> sum(parameter.numel() for parameter in network.parameters())
        330892
    """
    return _encoder(signature, layers=4, hidden=64, heads=8)


def encoder_large(signature: Signature) -> nn.Module:
    """Return an encoder of 6 layers, 128 channels and 16 heads."""
    return _encoder(signature, layers=6, hidden=128, heads=16)


def _encoder(signature: Signature, *, layers: int, hidden: int, heads: int) -> nn.Module:
    """Return an encoder with heads of 8 channels and a feed-forward ratio of 4.

    Raises:
        TeacherError: the data are not texts.
    """
    space = TextEncoderSpace(
        layers=(layers,), hidden=(hidden,), heads=(heads,), ratios=(4,), head_size=8
    )
    try:
        return space.network(space.architecture(layers, hidden, heads, 4), signature)
    except ValueError as error:
        raise TeacherError(f"{error}: choose another teacher") from error


NETWORKS: Mapping[str, BuiltIn] = {
    "encoder-medium": BuiltIn(
        "transformer encoder of 4 layers, 64 channels, 8 heads; 0.3M parameters for 2,000 tokens",
        encoder_medium,
    ),
    "encoder-large": BuiltIn(
        "transformer encoder of 6 layers, 128 channels, 16 heads; 1.5M parameters for 2,000 tokens",
        encoder_large,
    ),
}

SOURCES = TeacherSources(
    NETWORKS,
    {
        "hf": Library(
            "FOLDER_OR_ID",
            "an encoder of texts of Hugging Face transformers, such as BERT (extra hf)",
            find_transformers,
            hugging_face,
            is_classifier,
        )
    },
)
"""Possible values of `--teacher` for texts."""
