"""Text classification: data, tokenizer, metrics, and the task."""

from diswot.tasks._tokenizer import TextTokenizer
from diswot.tasks.text._catalog import DATASETS, check_texts, load_texts
from diswot.tasks.text._embedded import EMBEDDED
from diswot.tasks.text._masked import (
    MaskedLanguageModel,
    MaskedLMLoss,
    Masking,
    masked_lm_loss,
    mean_of_texts,
)
from diswot.tasks.text._options import TextOptions
from diswot.tasks.text._plain_text import text_files, with_plain_text
from diswot.tasks.text._task import TextClassification
from diswot.tasks.text._text_data import TextData

__all__ = [
    "DATASETS",
    "EMBEDDED",
    "MaskedLMLoss",
    "MaskedLanguageModel",
    "Masking",
    "TextClassification",
    "TextData",
    "TextOptions",
    "TextTokenizer",
    "check_texts",
    "load_texts",
    "masked_lm_loss",
    "mean_of_texts",
    "text_files",
    "with_plain_text",
]
