"""Encode labeled programs as a dataset."""

from collections import Counter
from collections.abc import Container, Sequence

from diswot.tasks._examples import SPLITS
from diswot.tasks._names import class_names
from diswot.tasks._stratified_split import completed
from diswot.tasks._token_data import TokenSplit
from diswot.tasks._usual_length import usual_length
from diswot.tasks.code._code_data import CodeData
from diswot.tasks.code._program import (
    NONE,
    Program,
    Programs,
    check_groups,
    held_out_groups,
    without_repetitions,
)
from diswot.tasks.code._vocabulary import Vocabulary


def encoded(
    name: str,
    programs: Programs,
    *,
    length: int | None,
    vocabulary: int,
    tokens: Vocabulary | None = None,
    masked: bool = False,
    notes: Sequence[str] = (),
) -> CodeData:
    """Encode programs, and hold out the splits that are missing.

    Without a test split, about a fifth of the training programs is held out for it; without a
    validation split, a tenth. Programs of one group, and programs with equal tokens, are always
    in the same split.

    Args:
        name: name of the data.
        programs: split → programs.
        length: length in tokens; by default inferred.
        vocabulary: maximum number of different tokens.
        tokens: the vocabulary, such as that of networks that are tuned on the programs; by default
            that of the training programs.
        masked: whether what decides the classes by rule is masked.
        notes: notes of reading the programs.

    Raises:
        DataError: there is only one class, a class has too few programs or is missing in the
            training split, or a group is in two splits.
    """
    check_groups(programs, name)
    kept, left_out = without_repetitions(programs)
    labels = {split: [item.label for item in items] for split, items in kept.items()}
    classes = tuple(sorted(class_names(name, labels, of="program"), key=NONE.__ne__))  # none first
    splits = completed(kept, held_out_groups)
    if tokens is None:
        tokens = Vocabulary.of([item.tokens for item in splits["train"]], most=vocabulary)
    if length is None:
        length = usual_length([item.tokens for item in splits["train"]])
    train, val, test = (
        _as_split(splits[split], tokens, classes, length=length) for split in SPLITS
    )
    every = (*notes, *left_out, *_described(splits, classes, length=length, given=programs))
    return CodeData(name, train, val, test, classes, tokens, masked=masked, notes=every)


def _as_split(
    programs: Sequence[Program], tokens: Vocabulary, classes: Sequence[str], *, length: int
) -> TokenSplit:
    ids = [tokens.encode(item.tokens) for item in programs]
    return TokenSplit.of(ids, [classes.index(item.label) for item in programs], length=length)


def _described(
    splits: Programs, classes: Sequence[str], *, length: int, given: Container[str]
) -> list[str]:
    """Return notes on the splits that were held out, the classes and truncated programs."""
    held_out = [split for split in SPLITS if split not in given]
    messages = [f"{' and '.join(held_out)} held out of the training programs"] * bool(held_out)
    counts = {split: Counter(item.label for item in splits[split]) for split in SPLITS}
    listed = [
        f"{label} {'/'.join(str(counts[split][label]) for split in SPLITS)}" for label in classes
    ]
    messages.append(f"programs in train/val/test: {', '.join(listed)}")
    longer = sum(len(item.tokens) > length for items in splits.values() for item in items)
    return messages + [f"programs truncated to {length} tokens: {longer:,}"] * bool(longer)
