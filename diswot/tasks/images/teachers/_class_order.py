"""The order of classes in a teacher's outputs."""

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from diswot.errors import OptionError
from diswot.files import read_file

TeacherClasses: TypeAlias = str | Path | Sequence[str]
"""`data`, `text`, `natural`, a file with class names, or the class names."""

ORDERS = ("data", "text", "natural")
"""Named orders: as in the data, sorted as text, sorted naturally (2 before 10)."""

_LARGEST_FILE = 16 * 2**20


@dataclass(frozen=True)
class ClassOrder:
    """The class of each output of a teacher.

    Attributes:
        labels: the data's class number of each output.
        classes: names of the data's classes, by class number.
        named: whether the user gave the order.
    """

    labels: tuple[int, ...]
    classes: tuple[str, ...]
    named: bool = False

    def __str__(self) -> str:
        return shortened([self.classes[label] for label in self.labels])


def shortened(names: Sequence[str]) -> str:
    """Return up to four names, and an ellipsis if there are more."""
    return ", ".join(names[:4]) + (", …" if len(names) > 4 else "")


def class_order(
    names: Sequence[str] | None,
    classes: Sequence[str] | None,
    *,
    num_classes: int,
    named: TeacherClasses | None = None,
) -> tuple[ClassOrder, tuple[str, ...]]:
    """Infer the class order of a teacher's outputs; return it with notes.

    Args:
        names: class names of the teacher, if it has any; `LABEL_0`, … count as none.
        classes: class names of the data, if it has any.
        num_classes: number of classes.
        named: order given by the user, if any.

    Raises:
        OptionError: `named` is not an order of the data's classes.
    """
    # In order of precedence: the user's order; without names, that of the data, or natural order
    # if its classes are numbers; by names where they match; else that of the data, with a note.
    known = tuple(map(str, range(num_classes))) if classes is None else tuple(classes)
    if named is not None:
        order = ClassOrder(_named(named, known), known, named=True)
        return order, (f"its outputs are taken in the order {order}, as --teacher-classes says",)
    as_data = ClassOrder(tuple(range(num_classes)), known)
    if names is None or _are_defaults(names):
        if classes is None:
            return as_data, ()
        if names is not None and _numbers(known):
            order = ClassOrder(labels_in("natural", known), known)
            return order, (f"its outputs have no names: taken in natural order, {order}",)
        return as_data, (f"its outputs are taken in the order of the data's classes, {as_data}",)
    if classes is None:
        return as_data, ()
    labels = _matched(names, known)
    if labels is None:
        return as_data, (
            f"its class names do not match those of the data ({shortened(names)}): "
            f"its outputs are taken in the order of the data's classes, {as_data}",
        )
    order = ClassOrder(labels, known)
    if order == as_data:
        return order, ()
    return order, (f"its classes are put in the order of the data's ({as_data})",)


def labels_in(order: str, classes: Sequence[str]) -> tuple[int, ...]:
    """Return class numbers in a named order.

    Examples:
        >>> labels_in("text", ["0", "1", "2", "10"]), labels_in("natural", ["0", "1", "10", "2"])
        ((0, 1, 3, 2), (0, 1, 3, 2))
    """
    labels = range(len(classes))
    if order == "text":
        return tuple(sorted(labels, key=lambda label: classes[label]))
    if order == "natural":
        return tuple(sorted(labels, key=lambda label: _natural(classes[label])))
    return tuple(labels)


def _natural(name: str) -> list[tuple[int, str]]:
    """Return a sort key that compares digits in names as numbers."""
    parts = re.findall(r"[0-9]+|[^0-9]+", name.casefold())
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def _are_defaults(names: Sequence[str]) -> bool:
    return all(name == f"LABEL_{number}" for number, name in enumerate(names))


def _named(named: TeacherClasses, classes: Sequence[str]) -> tuple[int, ...]:
    if isinstance(named, str) and named in ORDERS:
        return labels_in(named, classes)
    names = class_names(named)
    if len(names) != len(classes):
        raise OptionError(
            f"Expected the teacher's classes to be {', '.join(ORDERS)} or the names of "
            f"{len(classes)} classes, but got {len(names)} names: give one for each output"
        )
    labels = _matched(names, classes)
    if labels is None:
        strange = next((n for n in names if _simple(n) not in map(_simple, classes)), names[0])
        raise OptionError(
            f"the teacher's classes have {strange!r}, but the data's are {shortened(classes)}: "
            "name each of these once"
        )
    return labels


def as_text(named: TeacherClasses | None) -> str | None:
    """Convert a user's class order to text that does not refer to a file, for manifests.

    Raises:
        OptionError: a file cannot be read.

    Examples:
        >>> as_text("natural"), as_text(["ant", "bee"])
        ('natural', '["ant", "bee"]')
    """
    if named is None or (isinstance(named, str) and named in ORDERS):
        return named
    return json.dumps(class_names(named), ensure_ascii=False)


def class_names(named: TeacherClasses) -> list[str]:
    """Return the class names of a list, a JSON list, or a file.

    Args:
        named: the names; a JSON list of them; or a file with a name per line, with a JSON list,
            or with the `id2label` of a Hugging Face configuration.

    Raises:
        OptionError: the file cannot be read.

    Examples:
        >>> class_names('["ant", "bee"]')
        ['ant', 'bee']
    """
    if isinstance(named, str) and named.startswith("["):
        try:
            return list(map(str, json.loads(named)))
        except (ValueError, RecursionError) as error:
            raise OptionError(
                f"the teacher's classes {named[:40]!r} are not a JSON list: give a list of names"
            ) from error
    return _from_file(Path(named)) if isinstance(named, str | Path) else list(map(str, named))


def _from_file(path: Path) -> list[str]:
    """Read class names from a text file (one per line) or JSON (a list or `id2label`)."""
    try:
        if not path.is_file():
            raise OptionError(
                f"Expected the teacher's classes to be {', '.join(ORDERS)} or a file of names, "
                f"but got {str(path)!r}, which is not a file: check it"
            )
        text = read_file(path, at_most=_LARGEST_FILE).decode("utf-8-sig")
        if path.suffix != ".json":
            return [line.strip() for line in text.splitlines() if line.strip()]
        content = json.loads(text)
        if isinstance(content, dict):
            content = content.get("id2label", content)
        if isinstance(content, dict):
            content = [content[str(number)] for number in range(len(content))]
        return [str(name) for name in content]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise OptionError(
            f"the teacher's classes cannot be read from {path}: give a name on each line, or a "
            "JSON list"
        ) from error


def _matched(names: Sequence[str], classes: Sequence[str]) -> tuple[int, ...] | None:
    """Return the class number of each name; `None` if the classes differ."""
    if len(names) != len(classes):
        return None
    # Match exactly, then without case and punctuation, then by numbers, then by synonyms.
    for key in (str, _simple):
        if (labels := _by(key, names, classes)) is not None:
            return labels
    numbers, known = _numbers(names), _numbers(classes)
    if numbers and known and sorted(numbers) == sorted(known):
        return tuple(known.index(number) for number in numbers)
    return _by_synonyms(names, classes)


def _by(
    key: Callable[[str], str], names: Sequence[str], classes: Sequence[str]
) -> tuple[int, ...] | None:
    keys = [key(name) for name in classes]
    wanted = [key(name) for name in names]
    if sorted(keys) != sorted(wanted) or len(set(keys)) < len(keys):
        return None
    return tuple(keys.index(name) for name in wanted)


def _by_synonyms(names: Sequence[str], classes: Sequence[str]) -> tuple[int, ...] | None:
    """Match names such as ImageNet's `tench, Tinca tinca` by one of their unique parts."""
    parts = [{_simple(part) for part in (name, *name.split(","))} for name in names]
    often = Counter(part for some in parts for part in some)
    outputs = [
        [i for i, some in enumerate(parts) if _simple(name) in some and often[_simple(name)] == 1]
        for name in classes
    ]
    if any(len(found) != 1 for found in outputs):
        return None
    found = [place for (place,) in outputs]
    return (
        tuple(found.index(i) for i in range(len(names))) if len(set(found)) == len(found) else None
    )


def _simple(name: str) -> str:
    """Normalize a name: without case, spaces and punctuation."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return re.sub(r"[\W_]+", "", folded) or folded


def _numbers(names: Sequence[str]) -> list[int]:
    """Return the numbers of names like `class_3` with one common prefix; else an empty list."""
    results = [re.fullmatch(r"([^0-9]*?)[-_. ]?([0-9]{1,9})", name) for name in names]
    if any(match is None for match in results):
        return []
    matches = [match for match in results if match is not None]
    if len({match[1].casefold() for match in matches}) != 1:
        return []
    numbers = [int(match[2]) for match in matches]
    return numbers if len(set(numbers)) == len(numbers) else []
