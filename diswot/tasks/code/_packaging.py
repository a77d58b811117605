"""The config, vocabulary and files of exported classifiers of source code."""

import inspect
import json
from pathlib import Path
from typing import Any

from diswot.tasks._packaging import Packaging
from diswot.tasks._task import Dataset
from diswot.tasks._token_packaging import TokenPackaging, check_takes_tokens
from diswot.tasks.code import _normalization
from diswot.tasks.code._code_data import CodeData
from diswot.tasks.code._vocabulary import UNKNOWN
from search_spaces import Signature

VOCABULARY = "vocabulary.json"
NORMALIZATION = "normalization.py"


def packaging(signature: Signature, dataset: Dataset | None) -> Packaging:
    """Return config, files and templates of an exported classifier of source code.

    Without the dataset the vocabulary is unknown, so `predict.py` takes token ids.

    Args:
        signature: signature of the student.
        dataset: data on which it was trained, if known.

    Raises:
        ExportError: the signature is not that of a classifier of tokens.
    """
    check_takes_tokens(signature, "source code")
    if not isinstance(dataset, CodeData):
        return TokenPackaging(signature, {}, output="logits")
    return TokenPackaging(
        signature,
        _config(dataset),
        output="logits",
        predicts="prints the class of a source file",
        templates=Path(__file__).with_name("templates"),
        files={
            VOCABULARY: (
                json.dumps(dataset.vocabulary.tokens, ensure_ascii=False, indent=0),
                "the tokens in the order of their ids",
            ),
            NORMALIZATION: (
                inspect.getsource(_normalization),
                "the conversion of source code to tokens; needs tree-sitter for Solidity",
            ),
        },
    )


def _config(data: CodeData) -> dict[str, Any]:
    return {
        "classes": data.classes,
        "preprocessing": {
            "normalization": NORMALIZATION,
            "vocabulary": VOCABULARY,
            "unknown": UNKNOWN,
            "masked": data.masked,
            "length": data.length,
            "longer": "truncated to this number of tokens",
            "shorter": "padded with id 0, where attention_mask is false",
        },
    }
