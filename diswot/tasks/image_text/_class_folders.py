"""Folders of images, one for each class, with an optional table of names and descriptions."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from diswot.csv_table import Table, excerpt, read_csv
from diswot.errors import DataError
from diswot.tasks._json_lines import check_columns
from diswot.tasks._names import named
from diswot.tasks.image_text._collection import Collection, Files, check_classes
from diswot.tasks.image_text._prompts import PHOTO_TEMPLATES, ClassNames
from diswot.tasks.images import LeftOut, images_in, subfolders

CLASSES = "classes.csv"
"""Optional table next to the folders of classes."""

NAME, UNSEEN, DESCRIPTION = "name", "unseen", "description"
_FLAGS = {"0": False, "1": True, "no": False, "yes": True, "false": False, "true": True, "": False}
_VALIDATION, _PAIRS = 10, 3
"""One in ten images of seen classes is for validation, and one in three of unseen classes for the
training of a teacher without weights."""


def class_folders(
    folder: Path, *, languages: Sequence[str] | None, template: str | None, described: bool
) -> Collection:
    """Return the images of a folder with a folder for each class.

    `classes.csv` names the classes: the column `name` has the names of the folders; a column for
    each language, such as `zh`, the names in that language; `description` (or `description_zh`)
    a sentence about the class; and `unseen` is 1 for classes that students are not trained on.
    Without such a column, a random half of the classes is unseen, always the same.

    Args:
        folder: the folder.
        languages: languages of the names, the one of training first; by default those of the
            table, or `en` for the names of the folders.
        template: sentence with `{}` for the name in the first language.
        described: whether descriptions are part of the prompts.

    Raises:
        DataError: there are too few classes or images, or a class has no name.
    """
    left = LeftOut(folder)
    folders = {item.name: item for item in subfolders(folder, left)}
    files = {name: sorted(images_in(item, left)) for name, item in folders.items()}
    classes = sorted(name for name, paths in files.items() if paths)
    path = folder / CLASSES
    table = _Table.of(read_csv(path), classes) if path.exists() else None
    unseen = table.unseen if table and table.unseen is not None else _half(classes)
    names = _names(classes, table, folder, languages=languages, described=described)
    if template is not None:
        names = replace(names, templates={**names.templates, names.languages[0]: template})
    seen_of = [number for number, name in enumerate(classes) if name not in unseen]
    unseen_of = [number for number, name in enumerate(classes) if name in unseen]
    check_classes(len(seen_of), len(unseen_of), folder, what="classes")
    train, val = _split([files[classes[number]] for number in seen_of], _VALIDATION, least=1)
    if len({label for _, label in train}) < len(seen_of):
        few = [classes[number] for number in seen_of if len(files[classes[number]]) < 2]
        raise DataError(
            f"{folder}: expected two images of every seen class, one for validation, but "
            f"{named(few)} has one: add images"
        )
    test, pairs = _split([files[classes[number]] for number in unseen_of], _PAIRS, least=0)
    return Collection(
        folder.resolve().name,
        names.taken(seen_of),
        names.taken(unseen_of),
        train,
        val,
        test,
        pairs,
        tuple(left.notes()),
    )


class _Table:
    """The rows of `classes.csv` by class."""

    def __init__(self, table: Table, rows: Mapping[str, int]) -> None:
        self.table, self._rows = table, rows

    @classmethod
    def of(cls, table: Table, classes: Sequence[str]) -> "_Table":
        """Check that the table has a row for every class.

        Raises:
            DataError: it has not, or has two of a class.
        """
        check_columns(str(table.path), table.columns, (NAME,))
        rows: dict[str, int] = {}
        for index, name in enumerate(table.column(NAME)):
            if rows.setdefault(name.strip(), index) != index:
                raise table.error(index, f"the class {excerpt(name)} has two rows: remove one")
        if lacking := [name for name in classes if name not in rows]:
            raise DataError(
                f"{table.path} has no row for the class {excerpt(lacking[0])}, which is a folder "
                "with images: add one with its name"
            )
        return cls(table, rows)

    @property
    def languages(self) -> tuple[str, ...]:
        """Columns that are neither of `name`, `unseen` and descriptions."""
        return tuple(
            column
            for column in self.table.columns
            if column not in (NAME, UNSEEN) and not column.startswith(DESCRIPTION)
        )

    @property
    def unseen(self) -> frozenset[str] | None:
        """The unseen classes; `None` if there is no such column."""
        if UNSEEN not in self.table.columns:
            return None
        flags = {name: self._flag(index) for name, index in self._rows.items()}
        return frozenset(name for name, flag in flags.items() if flag)

    def texts(self, column: str, classes: Sequence[str], *, optional: bool) -> tuple[str, ...]:
        """Return the cells of classes in a column.

        Raises:
            DataError: a cell is empty and not optional.
        """
        cells, texts = self.table.column(column), []
        for name in classes:
            index = self._rows[name]
            texts.append(cells[index].strip())
            if not texts[-1] and not optional:
                raise self.table.error(
                    index, f"the class {excerpt(name)} has no name in {column}: fill it in"
                )
        return tuple(texts)

    def _flag(self, index: int) -> bool:
        cell = self.table.column(UNSEEN)[index].strip().lower()
        if cell not in _FLAGS:
            raise self.table.error(
                index, f"expected 0 or 1 in the column unseen, but got {excerpt(cell)}: correct it"
            )
        return _FLAGS[cell]


def _names(
    classes: Sequence[str],
    table: _Table | None,
    folder: Path,
    *,
    languages: Sequence[str] | None,
    described: bool,
) -> ClassNames:
    """Return names and descriptions of the classes.

    Raises:
        DataError: there are no names in a language, or no descriptions.
    """
    known = table.languages if table else ()
    chosen = tuple(languages or known or ("en",))
    if table is None or not known:
        if len(chosen) > 1:
            raise DataError(
                f"{folder} has class names in one language, but got {', '.join(chosen)}: add "
                f"columns of these names to {CLASSES}, or give one language"
            )
        by_language = {chosen[0]: tuple(_readable(name) for name in classes)}
    else:
        check_columns(f"{table.table.path} (--languages)", table.table.columns, chosen)
        by_language = {
            language: table.texts(language, classes, optional=False) for language in chosen
        }
    descriptions = _descriptions(classes, table, chosen) if described else {}
    if described and not descriptions:
        raise DataError(
            f"{folder} has no descriptions of classes: add a column description to {CLASSES}, or "
            "leave --descriptions out"
        )
    return ClassNames(by_language, dict(PHOTO_TEMPLATES), descriptions)


def _descriptions(
    classes: Sequence[str], table: _Table | None, languages: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    """Return the descriptions of classes in the languages that have some."""
    columns = {language: f"{DESCRIPTION}_{language}" for language in languages}
    if table and columns[languages[0]] not in table.table.columns:
        columns[languages[0]] = DESCRIPTION
    return {
        language: table.texts(column, classes, optional=True)
        for language, column in columns.items()
        if table and column in table.table.columns
    }


def _readable(name: str) -> str:
    return name.replace("_", " ").replace("-", " ")


def _half(classes: Sequence[str]) -> frozenset[str]:
    order = np.random.default_rng(0).permutation(len(classes))
    return frozenset(classes[number] for number in order[len(classes) - len(classes) // 2 :])


def _split(paths: Sequence[Sequence[Path]], part: int, *, least: int) -> tuple[Files, Files]:
    """Divide the images of each class at random into the rest and one in `part`."""
    rest: list[tuple[Path, int]] = []
    held: list[tuple[Path, int]] = []
    rng = np.random.default_rng(1)
    for label, files in enumerate(paths):
        count = max(least, len(files) // part)
        order = rng.permutation(len(files))
        held += [(files[number], label) for number in order[:count]]
        rest += [(files[number], label) for number in order[count:]]
    return rest, held
