"""Byte-level byte-pair encoding, trained on the texts that are trained on."""

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
"""Fills texts up; begins one; ends one; stands for a hidden token. Numbers 0 to 3."""

SEP_NUMBER = 2

PADS, MASKS = (PAD, "<pad>"), (MASK, "<mask>")
"""What the tokens are called by BERT and by RoBERTa."""

_FORMAT = 1
"""To be raised when the same texts would give another tokenizer."""
_PARALLELISM = "TOKENIZERS_PARALLELISM"


@dataclass(frozen=True)
class TextTokenizer:
    """Text → numbers of tokens.

    Attributes:
        content: the tokenizer as Hugging Face's `tokenizers` reads and writes it (JSON).
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
        """How many tokens there are."""
        return int(self._tokenizer.get_vocab_size())

    @cached_property
    def pad(self) -> int:
        """The number that fills texts up: of `[PAD]`, or of `<pad>`."""
        return self._special(PADS)

    @cached_property
    def mask(self) -> int:
        """The number that stands for a hidden token: of `[MASK]`, or of `<mask>`."""
        return self._special(MASKS)

    @cached_property
    def end(self) -> int:
        """The number that ends a text."""
        return self.encode("")[-1]

    @cached_property
    def special(self) -> frozenset[int]:
        """The numbers that are no part of a text: what fills up, begins, ends and hides."""
        return frozenset({self.pad, self.mask, *self.encode("")})

    def _special(self, names: Sequence[str]) -> int:
        found = [self._tokenizer.token_to_id(name) for name in names]
        known = [number for number in found if number is not None]
        if not known:
            raise DataError(
                f"the tokenizer has no token {' or '.join(names)}: use the tokenizer of a "
                f"BERT-like encoder"
            )
        return int(known[0])

    def token(self, number: int) -> str:
        """Return the token of a number."""
        return str(self._tokenizer.id_to_token(number))

    def encode(self, text: str) -> list[int]:
        """Return the numbers of a text's tokens, from [CLS] to [SEP]."""
        return list(self._tokenizer.encode(text).ids)

    def fixed(self, length: int) -> str:
        """Return the tokenizer's JSON with truncation and padding to a length.

        Args:
            length: tokens of a text.
        """
        made = _library().Tokenizer.from_str(self.content)
        made.enable_truncation(length)
        pad = made.id_to_token(self.pad)
        made.enable_padding(pad_id=self.pad, pad_token=pad, length=length)
        return str(made.to_str())


def read_tokenizer(place: str | Path) -> TextTokenizer:
    """Return a tokenizer of Hugging Face.

    Args:
        place: a `tokenizer.json`, or the folder that it is in.

    Raises:
        MissingExtraError: `tokenizers` is not installed.
        DataError: there is none, it cannot be read, or it neither begins nor ends texts.
    """
    path = Path(place).expanduser()
    path = path / "tokenizer.json" if path.is_dir() else path
    library = _library()
    if not path.is_file():
        raise DataError(
            f"there is no tokenizer {path}: give a tokenizer.json, or the folder that "
            "save_pretrained wrote one into"
        )
    try:
        made = library.Tokenizer.from_str(path.read_text(encoding="utf-8"))
    except Exception as error:  # tokenizers raises plain Exception
        raise DataError(
            f"the tokenizer {path} cannot be read ({first_line(error)}): save it again"
        ) from error
    made.no_truncation()
    made.no_padding()
    found = TextTokenizer(str(made.to_str()))
    if len(found.encode("")) < 2:
        raise DataError(
            f"the tokenizer {path} puts no token before and after a text: use the tokenizer of "
            f"an encoder such as BERT"
        )
    found.special  # noqa: B018  (is looked for here, before texts are read)
    return found


def kept_tokenizer(texts: Sequence[str], *, vocabulary: int, kept_in: Path) -> TextTokenizer:
    """Return the tokenizer trained on texts, which is read where it was kept before.

    Args:
        texts: of the training split.
        vocabulary: tokens that it knows at most.
        kept_in: the folder for tokenizers.

    Raises:
        MissingExtraError: `tokenizers` is not installed.
        DataError: it cannot be kept.
    """
    digest = hashlib.sha256(repr((_FORMAT, _library().__version__, vocabulary)).encode())
    for text in texts:
        digest.update(f"{len(text)}:{text}".encode("utf-8", "surrogatepass"))
    place = kept_in / f"{digest.hexdigest()[:32]}.json"
    if (found := _read(place)) is not None:
        return found
    made = trained_tokenizer(texts, vocabulary=vocabulary)
    try:
        kept_in.mkdir(parents=True, exist_ok=True)
        replace_file(place, lambda path: path.write_text(made.content, encoding="utf-8"))
    except OSError as error:
        raise DataError(
            f"the tokenizer cannot be kept in {kept_in} ({error.strerror or error}): "
            "make room, or name another place with --data-root"
        ) from error
    return made


def trained_tokenizer(texts: Sequence[str], *, vocabulary: int) -> TextTokenizer:
    """Return byte-level byte-pair encoding trained on texts; every text can be encoded.

    Source: Sennrich et al., "Neural Machine Translation of Rare Words with Subword Units",
    ACL 2016, section 3.2, on bytes as in GPT-2 (Radford et al., 2019, section 2.2).

    Args:
        texts: what it is trained on.
        vocabulary: tokens that it knows at most.

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


def _read(place: Path) -> TextTokenizer | None:
    """Return a kept tokenizer; nothing where there is none, or a damaged one."""
    try:
        found = TextTokenizer(place.read_text(encoding="utf-8"))
        return found if found.vocabulary else None
    except Exception:  # noqa: BLE001  (tokenizers raises plain Exception; it is made again)
        return None


@contextmanager
def _one_thread() -> Iterator[None]:
    """Keep `tokenizers` from starting threads, of which it would warn where a process forks."""
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
        raise MissingExtraError("tokenizers", "text", "the task text") from error
    return tokenizers
