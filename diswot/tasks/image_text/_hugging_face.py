"""Teachers for images with texts from Hugging Face transformers: CLIP, SigLIP and others."""

import importlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from diswot.errors import TeacherError
from diswot.networks.copies import copied
from diswot.seeding import torch_seed
from diswot.tasks.image_text._dual_encoder import AT_ONCE, DualEncoder
from diswot.tasks.image_text._image_text_data import ImageTextData
from diswot.tasks.images import ImageSpec
from diswot.tasks.images.teachers import AsTrained, view_of
from diswot.teachers import Teacher, TransformersSource, check_size, transformers_source

_TOWERS = ("get_image_features", "get_text_features")
"""Methods of the dual encoders of transformers."""

_UNMASKED = ("siglip_text_model", "siglip2_text_model")
"""Text encoders that are trained with padding to their full length, and without a mask."""

_AFTER_PADDING = ("altclip_text_model",)
"""Text encoders whose positions start after the index of padding, as in RoBERTa."""


def hugging_face(location: str, data: ImageTextData, *, pretrained: bool = True) -> Teacher:
    """Return a dual encoder of transformers with its tokenizer and image processor.

    Args:
        location: folder of `save_pretrained`, or id of the Hub.
        data: images with texts, whose `embedding` is the length of the teacher's embeddings.
        pretrained: whether to load its weights.

    Raises:
        MissingExtraError: transformers is not installed.
        TeacherError: it is not a dual encoder, it cannot be loaded, or its embeddings have
            another length.
    """
    channels, height, width = data.train.images.shape[1:]
    facts = data.signature.facts
    shape = (channels, height, width)
    spec = ImageSpec(shape, data.embedding, facts["mean"], facts["std"], facts["scale"])
    with transformers_source(location) as source:
        config = _config(source)
        fresh = partial(_fresh, config)
        folder = Path(source.path)
        check_size(fresh, folder if pretrained and folder.is_dir() else None, who=source.who)
        transformers: Any = importlib.import_module("transformers")
        tokenizer = transformers.AutoTokenizer.from_pretrained(
            source.path, trust_remote_code=False, local_files_only=source.local
        )
        view = view_of(source.path, config, spec, local=source.local)
        wrap = partial(
            TransformersDualEncoder,
            tokenizer=tokenizer,
            view=AsTrained(nn.Identity(), spec, **view.settings),
        )
        trained = wrap(_trained(source) if pretrained else fresh()).eval()
        _check_embedding(trained, data, source.who)
    return Teacher(
        f"hf:{location}", lambda: wrap(fresh()), partial(copied, trained), tuple(view.notes)
    )


def check_dual_encoder(location: str) -> None:
    """Check before data are read that a folder or id is a dual encoder.

    Args:
        location: folder of `save_pretrained`, or id of the Hub.

    Raises:
        MissingExtraError: transformers is not installed.
        TeacherError: it is not a dual encoder, or cannot be found.
    """
    with transformers_source(location) as source:
        _config(source)


class TransformersDualEncoder(DualEncoder):
    """A dual encoder of transformers, which takes the students' images and texts.

    Args:
        network: the network, with the methods `get_image_features` and `get_text_features`.
        tokenizer: its tokenizer.
        view: its preprocessing of images.
    """

    def __init__(self, network: nn.Module, *, tokenizer: Any, view: AsTrained) -> None:
        super().__init__()
        self.network, self.view = network, view
        self._tokenizer = tokenizer
        self._length = _length(network, tokenizer)

    def forward(self, images: Tensor) -> Tensor:
        """Return the embeddings (B, D) of images (B, C, H, W)."""
        return self.embed_images(images)

    def embed_images(self, images: Tensor) -> Tensor:
        """Return the embeddings (B, D) of images (B, C, H, W), normalized like the data's."""
        network: Any = self.network
        return _pooled(network.get_image_features(pixel_values=self.view.as_trained(images)))

    @torch.no_grad()
    def embed_texts(self, texts: Sequence[str]) -> Tensor:
        """Return the embeddings (n, D) of texts; long texts are cut to the tokenizer's length."""
        network: Any = self.network
        device = next(self.parameters()).device
        masked = network.config.text_config.model_type not in _UNMASKED
        parts = []
        for first in range(0, len(texts), AT_ONCE):
            encoded = self._tokenizer(
                list(texts[first : first + AT_ONCE]),
                padding=True if masked else "max_length",
                truncation=True,
                max_length=self._length,
                return_tensors="pt",
            ).to(device)
            mask = {"attention_mask": encoded["attention_mask"]} if masked else {}
            parts.append(_pooled(network.get_text_features(encoded["input_ids"], **mask)))
        return torch.cat(parts)

    def cut(self, texts: Sequence[str]) -> int:
        """Return the number of texts that are longer than the tokenizer accepts."""
        return sum(len(ids) > self._length for ids in self._tokenizer(list(texts))["input_ids"])


def _config(source: TransformersSource) -> Any:
    """Return the configuration of a dual encoder.

    Raises:
        TeacherError: it does not embed images and texts.
    """
    transformers: Any = importlib.import_module("transformers")
    config = transformers.AutoConfig.from_pretrained(
        source.path, trust_remote_code=False, local_files_only=source.local
    )
    network = transformers.MODEL_MAPPING.get(type(config), None)
    if not all(hasattr(network, name) for name in _TOWERS):
        raise TeacherError(
            f"{source.who} is {config.model_type}, which does not embed both images and texts: "
            "use CLIP, SigLIP, AltCLIP or Chinese-CLIP"
        )
    return config


def _fresh(config: Any) -> nn.Module:
    transformers: Any = importlib.import_module("transformers")
    network: nn.Module = transformers.AutoModel.from_config(
        config, trust_remote_code=False, attn_implementation="eager"
    ).float()
    return network


def _trained(source: TransformersSource) -> nn.Module:
    """Return the network with its weights.

    Raises:
        TeacherError: some weights are missing.
    """
    transformers: Any = importlib.import_module("transformers")
    with torch_seed(0):
        network, loading = transformers.AutoModel.from_pretrained(
            source.path,
            output_loading_info=True,
            local_files_only=source.local,
            trust_remote_code=False,
            attn_implementation="eager",
        )
    if missing := sorted(loading["missing_keys"]):
        raise TeacherError(
            f"{source.path} has no weights for {missing[0]}: give a folder that save_pretrained "
            "wrote"
        )
    trained: nn.Module = network.float()
    return trained


def _check_embedding(encoder: TransformersDualEncoder, data: ImageTextData, who: str) -> None:
    """Raise an error if embeddings of the teacher and of students have different lengths."""
    with torch.no_grad():
        width = encoder(torch.zeros(1, *data.train.images.shape[1:])).shape[1]
    if width != data.embedding:
        raise TeacherError(
            f"{who} has embeddings of {width} numbers, but those of students have "
            f"{data.embedding}: give --embedding {width}"
        )


def _length(network: Any, tokenizer: Any) -> int:
    """Return the maximum length of texts in tokens."""
    config = network.config.text_config
    behind = config.pad_token_id + 1 if config.model_type in _AFTER_PADDING else 0
    return int(min(tokenizer.model_max_length, config.max_position_embeddings - behind))


def _pooled(output: Any) -> Tensor:
    """Return the embeddings; older versions of transformers return them directly."""
    result: Tensor = output if isinstance(output, Tensor) else output.pooler_output
    return result
