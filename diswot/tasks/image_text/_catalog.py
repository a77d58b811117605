"""Image-text data by name, or from users' code."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack

from diswot.errors import DataError, OptionError
from diswot.options import takes_options
from diswot.progress import Progress, message, silent
from diswot.tasks._named_data import NamedData, datasets_of
from diswot.tasks._root import cache_root, data_root
from diswot.tasks.image_text._emoji import emoji_data
from diswot.tasks.image_text._image_text_data import ImageTextData
from diswot.tasks.image_text._options import EMBEDDING, LANGUAGES, ImageTextOptions


def _emoji(root: Path) -> ImageTextData:
    """Return the built-in data with default options."""
    return emoji_data(cache_root(root), languages=LANGUAGES.split(","), embedding=EMBEDDING)


DATASETS = datasets_of("image-text", {"emoji": _emoji}, kind="dataset of images with texts")
"""Name → function that loads the dataset from a data root."""

NAMED_DATA = NamedData(DATASETS, "a folder of images with captions")
"""Resolver of names, folders and `package.module:callable`."""


@takes_options
def check_image_text(data: Any, **options: Unpack[ImageTextOptions]) -> None:
    """Check the name and options of image-text data before anything is read.

    Raises:
        UnknownNameError: no dataset has that name.
        OptionError: an option has an invalid value, or `data` has the wrong type.
    """
    languages_of(options.get("languages"))
    if isinstance(data, ImageTextData):
        return
    if not isinstance(data, str):
        raise OptionError(
            "Expected images with texts as a name, package.module:callable or ImageTextData, but "
            f"got {type(data).__name__}"
        )
    NAMED_DATA.check(data)


@takes_options
def load_image_text(
    data: Any,
    *,
    root: str | Path | None = None,
    progress: Progress = silent,
    **options: Unpack[ImageTextOptions],
) -> ImageTextData:
    """Load images of classes that are described by texts.

    Args:
        data: a built-in name; `package.module:callable`, which returns an `ImageTextData`; or
            one itself.
        root: the data root, in which the tokenizer is cached; by default the environment
            variable `DISWOT_DATA`, else the user's cache.
        progress: called with inferred properties.
        **options: see `ImageTextOptions`.

    Raises:
        UnknownNameError: no dataset has that name.
        OptionError: an option has an invalid value.
        DataError: the data do not have the right type.
        MissingExtraError: a package of the extra `image-text` is not installed.
    """
    check_image_text(data, **options)
    languages = languages_of(options.get("languages"))
    embedding = options.get("embedding") or EMBEDDING
    if data == "emoji":
        result = emoji_data(cache_root(data_root(root)), languages=languages, embedding=embedding)
    else:
        result = NAMED_DATA.made(data, root) if isinstance(data, str) else data
    if not isinstance(result, ImageTextData):
        raise DataError(
            f"dataset {data}: expected it to return diswot.tasks.image_text.ImageTextData, but "
            f"got {type(result).__name__}"
        )
    for note in result.notes:
        progress(message("data", note, can_wait=data in DATASETS))
    source = NAMED_DATA.source(data, root, **options)
    return result if source is None else replace(result, source=source)


def languages_of(text: str | None) -> tuple[str, ...]:
    """Return the languages of the option `languages`.

    Raises:
        OptionError: it is empty, or names a language twice.
    """
    languages = tuple(part.strip() for part in (text or LANGUAGES).split(","))
    if not all(languages) or len({*languages}) < len(languages):
        raise OptionError(
            f"Expected different languages separated by commas, such as en,zh, but got {text!r}"
        )
    return languages
