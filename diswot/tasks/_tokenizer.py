"""Tokenizers: byte-level byte-pair encoding of the training texts, or one of Hugging Face."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from diswot.errors import DataError, MissingExtraError, first_line
from diswot.runs.folder import replace_file

PAD, CLS, SEP, MASK = "[PAD]", "[CLS]", "[SEP]", "[MASK]"
"""Special tokens with ids 0 to 3: padding, start, end, and masked token."""

SEP_NUMBER = 2

PADS, MASKS = (PAD, "<pad>"), (MASK, "<mask>")
"""Names of padding and mask tokens in BERT and in RoBERTa."""

_FORMAT = 1
"""Version of the cache; increase it if the same texts would give another tokenizer."""
_PARALLELISM = "TOKENIZERS_PARALLELISM"


@dataclass(frozen=True)
class TextTokenizer:
    """Converts texts to token ids.

    Attributes:
        content: JSON of the tokenizer, as in `tokenizer.json` of Hugging Face.
    """

    content: str

    @cached_property
    def _tokenizer(self) -> Any:
        return _library().Tokenizer.from_str(self.content)

    @property
    def digest(self) -> str:
        """SHA-256 of the tokenizer."""
        return hashlib.sha256(self.content.encode()).hexdigest()

    @property
    def vocabulary(self) -> int:
        """Vocabulary size."""
        return int(self._tokenizer.get_vocab_size())

    def __len__(self) -> int:
        return self.vocabulary

    @cached_property
    def pad(self) -> int:
        """Id of the padding token, `[PAD]` or `<pad>`."""
        return self._special(PADS)

    @cached_property
    def mask(self) -> int:
        """Id of the mask token, `[MASK]` or `<mask>`."""
        return self._special(MASKS)

    @cached_property
    def start(self) -> int:
        """Id of the token at the start of a text."""
        return self.encode("")[0]

    @cached_property
    def end(self) -> int:
        """Id of the token at the end of a text."""
        return self.encode("")[-1]

    @cached_property
    def special(self) -> frozenset[int]:
        """Ids of the special tokens: padding, mask, start and end."""
        return frozenset({self.pad, self.mask, *self.encode("")})

    def _special(self, names: Sequence[str]) -> int:
        results = [self._tokenizer.token_to_id(name) for name in names]
        known = [number for number in results if number is not None]
        if not known:
            raise DataError(
                f"the tokenizer has no token {' or '.join(names)}: use the tokenizer of a "
                f"BERT-like encoder"
            )
        return int(known[0])

    def token(self, number: int) -> str:
        """Return the token of an id."""
        return str(self._tokenizer.id_to_token(number))

    def encode(self, text: str) -> list[int]:
        """Return the token ids of a text, from [CLS] to [SEP]."""
        return list(self._tokenizer.encode(text).ids)

    def fixed(self, length: int) -> str:
        """Return the tokenizer's JSON with truncation and padding to a length.

        Args:
            length: length of texts in tokens.
        """
        tokenizer = _library().Tokenizer.from_str(self.content)
        tokenizer.enable_truncation(length)
        pad = tokenizer.id_to_token(self.pad)
        tokenizer.enable_padding(pad_id=self.pad, pad_token=pad, length=length)
        return str(tokenizer.to_str())


def read_tokenizer(location: str | Path) -> TextTokenizer:
    """Read a tokenizer of Hugging Face.

    Args:
        location: path of a `tokenizer.json`, or of its folder.

    Raises:
        MissingExtraError: `tokenizers` is not installed.
        DataError: the file is missing or damaged, or the tokenizer has no start and end tokens.
    """
    path = Path(location).expanduser()
    path = path / "tokenizer.json" if path.is_dir() else path
    library = _library()
    if not path.is_file():
        raise DataError(
            f"there is no tokenizer {path}: give a tokenizer.json, or the folder that "
            "save_pretrained wrote one into"
        )
    try:
        tokenizer = library.Tokenizer.from_str(path.read_text(encoding="utf-8"))
    except Exception as error:  # tokenizers raises plain Exception
        raise DataError(
            f"the tokenizer {path} cannot be read ({first_line(error)}): save it again"
        ) from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    result = TextTokenizer(str(tokenizer.to_str()))
    if len(result.encode("")) < 2:
        raise DataError(
            f"the tokenizer {path} puts no token before and after a text: use the tokenizer of "
            f"an encoder such as BERT"
        )
    result.special  # noqa: B018  (raises if special tokens are missing)
    return result


def kept_tokenizer(texts: Sequence[str], *, vocabulary: int, kept_in: Path) -> TextTokenizer:
    """Return a tokenizer trained on texts, from the cache if possible.

    Args:
        texts: training texts.
        vocabulary: maximum vocabulary size.
        kept_in: cache folder.

    Raises:
        MissingExtraError: `tokenizers` is not installed.
        DataError: the tokenizer cannot be written to the cache.
    """
    digest = hashlib.sha256(repr((_FORMAT, _library().__version__, vocabulary)).encode())
    for text in texts:
        digest.update(f"{len(text)}:{text}".encode("utf-8", "surrogatepass"))
    location = kept_in / f"{digest.hexdigest()[:32]}.json"
    if (found := _read(location)) is not None:
        return found
    tokenizer = trained_tokenizer(texts, vocabulary=vocabulary)
    try:
        kept_in.mkdir(parents=True, exist_ok=True)
        replace_file(location, lambda path: path.write_text(tokenizer.content, encoding="utf-8"))
    except OSError as error:
        raise DataError(
            f"the tokenizer cannot be kept in {kept_in} ({error.strerror or error}): "
            "free some space, or set another data root with --data-root"
        ) from error
    return tokenizer


def trained_tokenizer(texts: Sequence[str], *, vocabulary: int) -> TextTokenizer:
    """Train a tokenizer with byte-level byte-pair encoding, which can encode any text.

    Source: Sennrich et al., "Neural Machine Translation of Rare Words with Subword Units",
    ACL 2016, section 3.2, on bytes as in GPT-2 (Radford et al., 2019, section 2.2).

    Args:
        texts: training texts.
        vocabulary: maximum vocabulary size.

    Raises:
        MissingExtraError: `tokenizers` is not installed.

    Examples:
        >>> tokenizer = trained_tokenizer(["to be or not to be"], vocabulary=300)
        >>> tokenizer.vocabulary, len(tokenizer.encode("to be"))
        (269, 4)
    """
    library = _library()
    tokenizer = library.Tokenizer(library.models.BPE())
    tokenizer.pre_tokenizer = library.pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = library.decoders.ByteLevel()
    trainer = library.trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[PAD, CLS, SEP, MASK],
        initial_alphabet=library.pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    with _one_thread():
        tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = library.processors.TemplateProcessing(
        single=f"{CLS} $A {SEP}", special_tokens=[(CLS, 1), (SEP, SEP_NUMBER)]
    )
    return TextTokenizer(str(tokenizer.to_str()))


def _read(path: Path) -> TextTokenizer | None:
    """Read a cached tokenizer; `None` if it is missing or damaged."""
    try:
        result = TextTokenizer(path.read_text(encoding="utf-8"))
        return result if result.vocabulary else None
    except Exception:  # noqa: BLE001  (tokenizers raises plain Exception; it is made again)
        return None


@contextmanager
def _one_thread() -> Iterator[None]:
    """Disable threads of `tokenizers` inside the block; they cause warnings when forking."""
    before = os.environ.get(_PARALLELISM)
    os.environ[_PARALLELISM] = "false"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_PARALLELISM]
        else:
            os.environ[_PARALLELISM] = before


def _library() -> Any:
    # imported here: it is an extra
    try:
        import tokenizers
    except ImportError as error:
        raise MissingExtraError("tokenizers", "text", "the tokenizer of texts") from error
    return tokenizers
