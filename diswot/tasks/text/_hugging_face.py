"""Teachers for texts from Hugging Face transformers: BERT, ELECTRA, RoBERTa, XLM-R."""

import importlib
import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from diswot.errors import DataError, NetworkError, TeacherError
from diswot.networks.attention import last_attention
from diswot.seeding import torch_seed
from diswot.tasks._tokenizer import read_tokenizer
from diswot.tasks.text._text_data import TextData
from diswot.teachers import Teacher, TransformersSource, transformers_source

_HEAD = "ForSequenceClassification"
_TOKENIZER = "tokenizer.json"


def hugging_face(location: str, data: TextData, *, pretrained: bool = True) -> Teacher:
    """Return a text encoder of transformers as a teacher.

    A sequence classifier with the data's number of classes is used with its weights. An encoder
    without classifier, such as a masked-language model, gets a linear classifier on the mean of
    its tokens, and is fine-tuned on the data once.

    Args:
        location: folder of `save_pretrained`, or id of the Hub.
        data: text data, tokenized by the encoder's tokenizer.
        pretrained: whether to load its weights.

    Raises:
        MissingExtraError: transformers is not installed.
        TeacherError: it is not a text encoder, or cannot be loaded.
        NetworkError: it exposes no attention, or does not fit the texts.
        DataError: the texts were tokenized by another tokenizer.
    """
    name, outputs = f"hf:{location}", len(data.classes)
    with transformers_source(location) as source:
        config = _config(source)
        _check_tokenizer(source, config, data)
        _check_encoder(source, config, data.length)
        if not _has_classifier(config):
            body = partial(_body, source, config, pretrained=pretrained)
            network = Encoder(body(), outputs)
            _check_attention(network, source.who)
            note = "it has no classifier of these classes, and is trained on these texts first"
            return Teacher(name, partial(_with_classifier, network, outputs), None, (note,))
        result = source.classifier(
            "AutoModelForSequenceClassification",
            classes=outputs,
            pretrained=pretrained,
            adapt=Classifier,
        )
    _check_attention(result.network, f"teacher {name}")
    kept = result.network.eval()
    return Teacher(name, result.fresh, lambda: _copied(kept))


def is_classifier(location: str) -> bool:
    """Return whether a network of transformers has a classifier; others are trained first.

    Args:
        location: folder of `save_pretrained`, or id of the Hub.

    Raises:
        TeacherError: its configuration cannot be read, or it is a decoder.
    """
    with transformers_source(location) as source:
        return _has_classifier(_config(source))


class Classifier(nn.Module):
    """Wrapper of a sequence classifier of transformers, with positional inputs."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Map numbers of tokens (B, L), and where they are text (B, L), to logits (B, N)."""
        output: Tensor = self.network(input_ids, attention_mask=attention_mask.long()).logits
        return output


class Encoder(nn.Module):
    """An encoder of transformers with a linear classifier on the mean of its tokens."""

    def __init__(self, body: nn.Module, outputs: int) -> None:
        super().__init__()
        self.body = body
        width = int(body.config.hidden_size)  # type: ignore[union-attr,arg-type]
        self.classifier = nn.Linear(width, outputs)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Map numbers of tokens (B, L), and where they are text (B, L), to logits (B, N)."""
        mask = attention_mask.long()
        tokens = self.body(input_ids, attention_mask=mask).last_hidden_state * mask[..., None]
        mean = tokens.sum(dim=1) / mask.sum(dim=1, keepdim=True).clamp_min(1)
        logits: Tensor = self.classifier(mean)
        return logits


def _has_classifier(config: Any) -> bool:
    return any(_HEAD in str(item) for item in config.architectures or ())


def _config(source: TransformersSource) -> Any:
    transformers: Any = importlib.import_module("transformers")
    config = transformers.AutoConfig.from_pretrained(
        source.path, trust_remote_code=False, local_files_only=source.local
    )
    kinds = importlib.import_module("transformers.models.auto.modeling_auto")
    # Decoders such as GPT-2 have a causal language model only; BERT has both kinds.
    causal = config.model_type in kinds.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
    masked = config.model_type in kinds.MODEL_FOR_MASKED_LM_MAPPING_NAMES
    decodes = any(getattr(config, item, False) for item in ("is_decoder", "is_encoder_decoder"))
    if decodes or (causal and not masked):
        raise TeacherError(
            f"{source.who} is not an encoder, but {config.model_type}, which reads from left to "
            f"right: "
            "use BERT, ELECTRA, RoBERTa or XLM-R"
        )
    return config


def _body(source: TransformersSource, config: Any, *, pretrained: bool) -> nn.Module:
    transformers: Any = importlib.import_module("transformers")
    safe = {"trust_remote_code": False, "attn_implementation": "eager"}
    with torch_seed(0):
        if not pretrained:
            network: nn.Module = transformers.AutoModel.from_config(config, **safe)
        else:
            network, loading = transformers.AutoModel.from_pretrained(
                source.path, output_loading_info=True, local_files_only=source.local, **safe
            )
            missing = [item for item in sorted(loading["missing_keys"]) if "pooler" not in item]
            if missing:
                raise TeacherError(
                    f"{source.path} has no weights for {missing[0]}: give a folder that "
                    "save_pretrained wrote"
                )
    encoder: nn.Module = network.float()
    return encoder


def _with_classifier(network: Encoder, outputs: int) -> nn.Module:
    """Return a copy of the encoder with its weights, and a randomly initialized classifier."""
    made: Encoder = _copied(network)
    made.classifier = nn.Linear(network.classifier.in_features, outputs)
    return made


def _copied(network: nn.Module) -> Any:
    from diswot.networks.copies import copied

    return copied(network)


def _check_encoder(source: TransformersSource, config: Any, length: int) -> None:
    heads, hidden = (getattr(config, item, None) for item in ("num_attention_heads", "hidden_size"))
    if isinstance(heads, int) and isinstance(hidden, int) and (heads < 1 or hidden % heads):
        raise TeacherError(
            f"{source.who}: its {heads} heads do not divide its hidden size {hidden}: check "
            "config.json"
        )
    # RoBERTa's positions start after the padding index, so fewer tokens fit.
    most = getattr(config, "max_position_embeddings", None)
    behind = (config.pad_token_id or 0) + 1 if "roberta" in config.model_type else 0
    if isinstance(most, int) and length > most - behind:
        raise NetworkError(
            f"{source.who} takes at most {most - behind} tokens, but the texts have {length}: "
            f"give --length {most - behind} or less"
        )


def _check_attention(network: nn.Module, who: str) -> None:
    if not last_attention(network):
        raise NetworkError(
            f"{who} exposes no attention (layers query, key and value): use BERT, ELECTRA, "
            "RoBERTa or XLM-R"
        )


def _check_tokenizer(source: TransformersSource, config: Any, data: TextData) -> None:
    """Check that the data's tokenizer has the teacher's vocabulary.

    Raises:
        DataError: the vocabularies differ.
    """
    folder = Path(source.path)
    path = folder / _TOKENIZER if folder.is_dir() else _cached(source.path)
    pad = getattr(config, "pad_token_id", None)
    # RoBERTa's position ids depend on the id of its padding token.
    if "roberta" in config.model_type and pad != data.tokenizer.pad:
        raise DataError(
            f"the tokenizer of {data.name} does not fit {source.who}: it pads texts with "
            f"{data.tokenizer.pad}, the teacher with {pad}: check pad_token_id in config.json"
        )
    advice = f"give --tokenizer {source.path if folder.is_dir() else 'FOLDER'}"
    if path is not None and path.is_file():
        if _vocabulary(read_tokenizer(path).content) != _vocabulary(data.tokenizer.content):
            raise DataError(
                f"the tokenizer of {data.name} does not fit {source.who}, which has other "
                f"tokens: {advice}, so that texts are encoded as its tokens"
            )
        return
    size = getattr(config, "vocab_size", None)
    if size != data.tokenizer.vocabulary:
        raise DataError(
            f"the tokenizer of {data.name} does not fit {source.who}: it has "
            f"{data.tokenizer.vocabulary:,} tokens, the teacher {size:,}: {advice} with the "
            "teacher's tokenizer.json"
        )


def _cached(repository: str) -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    result = try_to_load_from_cache(repository, _TOKENIZER)
    return Path(result) if isinstance(result, str) else None


def _vocabulary(content: str) -> Mapping[str, Any]:
    """Return the parts of a tokenizer's JSON that map tokens to ids."""
    record = json.loads(content)
    return {"model": record["model"], "added": record.get("added_tokens")}
