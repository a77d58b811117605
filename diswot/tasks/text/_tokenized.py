"""Tokenization of labeled texts."""

from collections import Counter
from collections.abc import Container, Mapping, Sequence
from functools import partial
from pathlib import Path

import torch

from diswot.tasks._examples import SPLITS, SplitName
from diswot.tasks._names import class_names
from diswot.tasks._stratified_split import completed, held_out_of
from diswot.tasks._token_data import TokenSplit
from diswot.tasks._tokenizer import TextTokenizer, kept_tokenizer
from diswot.tasks._usual_length import usual_length
from diswot.tasks.text._reading import Labeled, Splits
from diswot.tasks.text._text_data import TextData


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
    names = {split: [item.label for item in texts] for split, texts in found.items()}
    classes = tuple(class_names(name, names, of="text"))
    splits = completed(found, partial(_held_out, classes=classes))
    texts = {split: [item.text for item in splits[split]] for split in SPLITS}
    tokenizer = given
    if tokenizer is None:
        tokenizer = kept_tokenizer(texts["train"], vocabulary=vocabulary, kept_in=kept_in)
    # Splits are made before the tokenizer is trained, so it sees training texts only.
    tokens = {split: [tokenizer.encode(text) for text in own] for split, own in texts.items()}
    length = usual_length(tokens["train"]) if length is None else length
    labels = {split: [classes.index(item.label) for item in splits[split]] for split in SPLITS}
    # Truncated texts also end with [SEP].
    fitted = partial(TokenSplit.of, length=length, pad=tokenizer.pad, end=[tokenizer.end])
    train, val, test = (fitted(tokens[item], labels[item]) for item in SPLITS)
    messages = _described(splits, classes, given=found)
    longer = sum(len(own) > length for item in tokens.values() for own in item)
    total = sum(map(len, texts.values()))
    messages += [f"texts truncated to {length} tokens: {longer:,} of {total:,}"] * bool(longer)
    messages += _repeated(texts)
    return TextData(name, train, val, test, classes, tokenizer, notes=(*notes, *messages))


def _held_out(
    texts: list[Labeled], part: int, *, classes: Sequence[str]
) -> tuple[list[Labeled], list[Labeled]]:
    """Hold out one in `part` texts at random, stratified by class."""
    labels = torch.tensor([classes.index(text.label) for text in texts])
    rest, held = held_out_of(labels, part, 0, classes=classes, of="texts")
    return [texts[place] for place in sorted(rest)], [texts[place] for place in sorted(held)]


def _described(splits: Splits, classes: Sequence[str], *, given: Container[str]) -> list[str]:
    """Return notes on the splits that were held out, and the classes' numbers of texts."""
    held_out = [split for split in SPLITS if split not in given]
    messages = [f"{' and '.join(held_out)} held out of the training texts"] * bool(held_out)
    counts = {split: Counter(item.label for item in splits[split]) for split in SPLITS}
    listed = [
        f"{name} {'/'.join(f'{counts[split][name]:,}' for split in SPLITS)}" for name in classes[:8]
    ]
    more = f" and {len(classes) - 8:,} more" if len(classes) > 8 else ""
    listing = f"{len(classes):,} classes, texts in train/val/test: {', '.join(listed)}{more}"
    return [*messages, listing]


def _repeated(texts: Mapping[SplitName, Sequence[str]]) -> list[str]:
    """Return notes on texts of `val` and `test` that are also in `train`, which bias results."""
    pairs: tuple[tuple[SplitName, SplitName], ...]
    pairs = ("train", "test"), ("train", "val"), ("val", "test")
    return [
        f"warning: {shared:,} of {len(texts[split]):,} {split} texts are {other} texts too"
        for other, split in pairs
        if (shared := sum(map(set(texts[other]).__contains__, texts[split])))
    ]
