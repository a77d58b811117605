"""Tokenization of labeled texts."""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import torch

from diswot.errors import DataError
from diswot.tasks._examples import SPLITS, SplitName
from diswot.tasks._names import in_order, named
from diswot.tasks._stratified_split import completed, held_out_of
from diswot.tasks._token_data import TokenSplit
from diswot.tasks._usual_length import usual_length
from diswot.tasks.text._reading import Labeled, Splits
from diswot.tasks.text._text_data import TextData
from diswot.tasks.text._tokenizer import TextTokenizer, kept_tokenizer


def tokenized(
    name: str,
    found: Splits,
    *,
    length: int | None,
    vocabulary: int,
    kept_in: Path,
    given: TextTokenizer | None = None,
    notes: Sequence[str] = (),
) -> TextData:
    """Tokenize labeled texts and split them.

    Without a test split, a fifth of the training texts is held out for it; without a validation
    split, a tenth. Both are stratified by class.

    Args:
        name: name of the data.
        found: split → labeled texts.
        length: length in tokens to which texts are truncated or padded; by default inferred.
        vocabulary: maximum vocabulary size of a trained tokenizer.
        kept_in: cache folder of tokenizers.
        given: the tokenizer; by default one is trained on the training texts.
        notes: notes of reading the texts.

    Raises:
        DataError: there is only one class, a class has too few texts, or classes of other splits
            are missing in the training split.
    """
    classes = _classes(name, found)
    splits = completed(found, partial(_held_out, classes=classes))
    texts = {split: [item.text for item in splits[split]] for split in SPLITS}
    tokenizer = given
    if tokenizer is None:
        tokenizer = kept_tokenizer(texts["train"], vocabulary=vocabulary, kept_in=kept_in)
    # Splits are made before the tokenizer is trained, so it sees training texts only.
    tokens = {split: [tokenizer.encode(text) for text in own] for split, own in texts.items()}
    length = usual_length(tokens["train"]) if length is None else length
    labels = {split: [classes.index(item.label) for item in splits[split]] for split in SPLITS}
    train, val, test = (
        # Truncated texts also end with [SEP].
        TokenSplit.of(
            tokens[item], labels[item], length=length, pad=tokenizer.pad, end=[tokenizer.end]
        )
        for item in SPLITS
    )
    held_out = [split for split in SPLITS if split not in found]
    messages = [f"{' and '.join(held_out)} held out of the training texts"] * bool(held_out)
    messages += _described(splits, classes)
    longer = sum(len(own) > length for item in tokens.values() for own in item)
    total = sum(map(len, texts.values()))
    messages += [f"texts truncated to {length} tokens: {longer:,} of {total:,}"] * bool(longer)
    messages += _repeated(texts)
    return TextData(name, train, val, test, classes, tokenizer, notes=(*notes, *messages))


def _classes(name: str, splits: Splits) -> tuple[str, ...]:
    classes = in_order({item.label for item in splits["train"]})
    if len(classes) < 2:
        raise DataError(
            f"{name} has one class of training texts, {classes[0]!r}: give texts of two or more"
        )
    for split, texts in splits.items():
        if strange := sorted({item.label for item in texts} - set(classes)):
            raise DataError(
                f"{name} has classes in {split} that no training text has: {named(strange)}; give "
                "both the same classes"
            )
    return tuple(classes)


def _held_out(
    texts: list[Labeled], part: int, *, classes: Sequence[str]
) -> tuple[list[Labeled], list[Labeled]]:
    """Hold out one in `part` texts at random, stratified by class."""
    labels = torch.tensor([classes.index(text.label) for text in texts])
    rest, held = held_out_of(labels, part, 0, classes=classes, of="texts")
    return [texts[place] for place in sorted(rest)], [texts[place] for place in sorted(held)]


def _described(splits: Splits, classes: Sequence[str]) -> list[str]:
    """Return notes with the classes' numbers of texts."""
    counts = {split: Counter(item.label for item in splits[split]) for split in SPLITS}
    listed = [
        f"{name} {'/'.join(f'{counts[split][name]:,}' for split in SPLITS)}" for name in classes[:8]
    ]
    more = f" and {len(classes) - 8:,} more" if len(classes) > 8 else ""
    return [f"{len(classes):,} classes, texts in train/val/test: {', '.join(listed)}{more}"]


def _repeated(texts: Mapping[SplitName, Sequence[str]]) -> list[str]:
    """Return notes on texts of `val` and `test` that are also in `train`, which bias results."""
    pairs: tuple[tuple[SplitName, SplitName], ...]
    pairs = ("train", "test"), ("train", "val"), ("val", "test")
    return [
        f"warning: {shared:,} of {len(texts[split]):,} {split} texts are {other} texts too"
        for other, split in pairs
        if (shared := sum(map(set(texts[other]).__contains__, texts[split])))
    ]
