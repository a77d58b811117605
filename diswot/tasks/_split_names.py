"""Recognize names of training, validation and test splits."""

import re
from collections.abc import Iterable, Sequence

from diswot.errors import DataError

MEANINGS = {"train": "training", "val": "validation", "test": "test"}

_WORDS = {
    "train": ("train", "training", "trn", "trainval"),
    "val": ("val", "valid", "validation", "validate", "dev", "development"),
    "eval": ("eval", "evaluation"),
    "test": ("test", "testing", "tst", "holdout", "heldout"),
}
_KIND = {word: kind for kind, words in _WORDS.items() for word in words}
_FILLERS = (
    *("set", "sets", "data", "dataset", "split", "folder", "dir", "part", "subset", "full"),
    *("images", "image", "imgs", "img", "pics", "photos", "pictures", "files", "samples"),
    *("jpg", "jpeg", "png", "class", "classes", "seg"),
)
_UNLABELED = ("pred", "predict", "prediction", "predictions", "inference", "submission")
_WITHOUT_LABELS = ("unlabeled", "unlabelled", "unsupervised", "unsup")
_TOKEN = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_GLUED = re.compile(rf"({'|'.join(_KIND)})({'|'.join(_FILLERS)})")
_FOLD = re.compile(r"(k?fold|split|cv|part|batch|subset|shard)s?[ _.-]?\d+", re.IGNORECASE)


def split_names(names: Iterable[str]) -> dict[str, str]:
    """Return the splits that names of sibling folders stand for, by name.

    Case is ignored. Other words in a name must be common ones (`train_images`, `TestSet`,
    `val2017`), or also occur in the name of another split (`birds-train`, `birds-test`).

    Examples:
        >>> split_names(["Training", "Testing", "docs"])
        {'Training': 'train', 'Testing': 'test'}
        >>> split_names(["train_station", "bus_station"])
        {}
    """
    read = {name: meaning for name in names if (meaning := _read(name))}
    kinds_by_rest: dict[tuple[str, ...], set[str]] = {}
    for kind, rest in read.values():
        kinds_by_rest.setdefault(rest, set()).add(kind)
    results = {
        name: kind
        for name, (kind, rest) in read.items()
        if not rest or len(kinds_by_rest[rest]) > 1
    }
    return {name: _settled(kind, results.values()) for name, kind in results.items()}


def check_unambiguous(found: dict[str, str], where: str) -> dict[str, str]:
    """Invert a mapping from names to splits.

    Args:
        found: splits by name.
        where: where the names were found, for messages.

    Returns:
        Names by split.

    Raises:
        DataError: two names stand for the same split.
    """
    by_split: dict[str, str] = {}
    for name, split in found.items():
        if split in by_split:
            raise DataError(
                f"{where}: {by_split[split]} and {name} both mean the {MEANINGS[split]} split: "
                "remove or rename one of them"
            )
        by_split[split] = name
    return by_split


def means_unlabeled(name: str) -> bool:
    """Return whether a folder's name says that its content has no labels."""
    tokens = _tokens(name)
    return any(token in (*_UNLABELED, *_WITHOUT_LABELS) for token in tokens)


def are_folds(names: Sequence[str]) -> bool:
    """Return whether folders are named like folds of a cross-validation, or shards."""
    return len(names) > 1 and all(_FOLD.fullmatch(name) for name in names)


def _tokens(name: str) -> list[str]:
    joined = re.sub(r"(?i)(hold|held)[ _.-]?out", "holdout", name)
    return [token.lower() for token in _TOKEN.findall(joined)]


def _read(name: str) -> tuple[str, tuple[str, ...]] | None:
    """Return the split that a name stands for and its uncommon words; `None` if there is none."""
    kinds, rest = [], []
    for token in _tokens(name):
        glued = _GLUED.fullmatch(token)
        kind = _KIND.get(glued[1] if glued else token)
        if kind:
            kinds.append(kind)
        elif token not in _FILLERS and not token.isdigit():
            rest.append(token)
    if kinds in (["train", "val"], ["train", "eval"]):  # one folder for both
        kinds = ["train"]
    return (kinds[0], tuple(rest)) if len(kinds) == 1 else None


def _settled(kind: str, kinds: Iterable[str]) -> str:
    """Resolve `evaluation`: the test split if only that is missing, else the validation split."""
    if kind != "eval":
        return kind
    return "test" if "val" in kinds and "test" not in kinds else "val"
