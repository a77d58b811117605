"""The config, tokenizer and files of exported text classifiers."""

import json
from pathlib import Path
from typing import Any

from diswot.tasks._packaging import Packaging
from diswot.tasks._task import Dataset
from diswot.tasks._token_packaging import TokenPackaging, check_takes_tokens
from diswot.tasks.text._text_data import TextData
from search_spaces import Signature

TOKENIZER = "tokenizer.json"
TEMPLATES = Path(__file__).with_name("templates")

_MODELING = "modeling_student"
"""Module name of the student's code for transformers."""


def packaging(signature: Signature, dataset: Dataset | None) -> Packaging:
    """Return config, files and templates of an exported text classifier.

    Without the dataset the tokenizer is unknown, so `predict.py` takes token ids.

    Args:
        signature: signature of the student.
        dataset: data on which it was trained, if known.

    Raises:
        ExportError: the signature is not that of a classifier of texts.
    """
    check_takes_tokens(signature, "text")
    tag, output = "text-classification", "logits"
    if not isinstance(dataset, TextData):
        return TokenPackaging(signature, {}, pipeline_tag=tag, output=output)
    config = {
        "classes": dataset.classes,
        **_of_transformers(dataset),
        "preprocessing": {
            "tokenizer": TOKENIZER,
            "length": dataset.length,
            "longer": "truncated to this number of tokens, of which the last one is [SEP]",
            "shorter": "padded with [PAD], where attention_mask is false",
        },
    }
    return TokenPackaging(
        signature,
        config,
        pipeline_tag=tag,
        output=output,
        predicts="prints the class of a text",
        templates=TEMPLATES,
        files={
            TOKENIZER: (
                dataset.tokenizer.fixed(dataset.length),
                "the tokenizer, for the package `tokenizers`",
            ),
            "tokenizer_config.json": (
                json.dumps(_tokenizer_config(dataset), indent=2),
                "the configuration of the student for transformers",
            ),
            f"{_MODELING}.py": (
                (TEMPLATES / f"{_MODELING}.py.txt").read_text(encoding="utf-8"),
                "the student for `from_pretrained` of transformers",
            ),
        },
    )


def _of_transformers(data: TextData) -> dict[str, Any]:
    """Return the entries of `config.json` that `from_pretrained` reads."""
    return {
        "model_type": "diswot-student",
        "architectures": ["StudentForSequenceClassification"],
        "auto_map": {
            "AutoConfig": f"{_MODELING}.StudentConfig",
            "AutoModelForSequenceClassification": f"{_MODELING}.StudentForSequenceClassification",
        },
        "transformers_weights": "weights.safetensors",
        "id2label": {str(number): name for number, name in enumerate(data.classes)},
        "label2id": {name: number for number, name in enumerate(data.classes)},
    }


def _tokenizer_config(data: TextData) -> dict[str, Any]:
    """Return the content of `tokenizer_config.json` for tokenizers of transformers."""
    tokenizer = data.tokenizer
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": data.length,
        "pad_token": tokenizer.token(tokenizer.pad),
        "mask_token": tokenizer.token(tokenizer.mask),
        "sep_token": tokenizer.token(tokenizer.end),
        "cls_token": tokenizer.token(tokenizer.start),
        "model_input_names": ["input_ids", "attention_mask"],
    }
