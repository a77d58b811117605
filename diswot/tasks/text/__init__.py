"""Text classification: data, tokenizer, metrics, and the task."""

from diswot.tasks.text._catalog import DATASETS, check_texts, load_texts
from diswot.tasks.text._embedded import EMBEDDED
from diswot.tasks.text._options import TextOptions
from diswot.tasks.text._task import TextClassification
from diswot.tasks.text._text_data import TextData, TextSplit
from diswot.tasks.text._tokenizer import TextTokenizer

__all__ = [
    "DATASETS",
    "EMBEDDED",
    "TextClassification",
    "TextData",
    "TextOptions",
    "TextSplit",
    "TextTokenizer",
    "check_texts",
    "load_texts",
]
