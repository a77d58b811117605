"""Image-text data by name, from files, or from users' code."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack

from diswot.errors import DataError, OptionError
from diswot.options import takes_options
from diswot.progress import Progress, message, silent
from diswot.tasks._named_data import NamedData, datasets_of
from diswot.tasks._root import cache_root, data_root
from diswot.tasks.image_text._caption_files import FILES, SUFFIXES, captioned
from diswot.tasks.image_text._class_folders import class_folders
from diswot.tasks.image_text._emoji import emoji_data
from diswot.tasks.image_text._image_text_data import ImageTextData
from diswot.tasks.image_text._options import EMBEDDING, IMAGE_SIZE, LANGUAGES, ImageTextOptions

EMOJI = "emoji"


def _emoji(root: Path) -> ImageTextData:
    """Return the built-in data with default options."""
    return emoji_data(cache_root(root), languages=LANGUAGES.split(","), embedding=EMBEDDING)


DATASETS = datasets_of("image-text", {EMOJI: _emoji}, kind="dataset of images with texts")
"""Name → function that loads the dataset from a data root."""

NAMED_DATA = NamedData(
    DATASETS, f"a folder of images, a {' or '.join(SUFFIXES)} file of captions", SUFFIXES
)
"""Resolver of names, folders and `package.module:callable`."""


@takes_options
def check_image_text(data: Any, **options: Unpack[ImageTextOptions]) -> None:
    """Check the name and options of image-text data before anything is read.

    Raises:
        UnknownNameError: no dataset has that name.
        OptionError: an option has an invalid value or does not apply, or `data` has the wrong
            type.
    """
    languages_of(options.get("languages"))
    template = options.get("template")
    if template is not None and template.count("{}") != 1:
        raise OptionError(
            f"Expected a template with {{}} once, for the name of a class, but got {template!r}"
        )
    if not isinstance(data, str | Path | ImageTextData):
        raise OptionError(
            "Expected images with texts as a name, a folder, a file of captions, "
            f"package.module:callable or ImageTextData, but got {type(data).__name__}"
        )
    if isinstance(data, str):
        NAMED_DATA.check(data)
    _check_apply(data, {name: value for name, value in options.items() if value is not None})


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
        data: a built-in name; a folder with a folder of images for each class, or with a file
            `captions.csv` or `captions.jsonl`; such a file; `package.module:callable`, which
            returns an `ImageTextData`; or one itself.
        root: the data root, in which the tokenizer is cached; by default the environment
            variable `DISWOT_DATA`, else the user's cache.
        progress: called with inferred properties.
        **options: see `ImageTextOptions`.

    Raises:
        UnknownNameError: no dataset has that name.
        OptionError: an option has an invalid value, or does not apply to the data.
        DataError: the images, names or captions are missing, damaged or unfit.
        MissingExtraError: a package of the extra `image-text` is not installed.
    """
    check_image_text(data, **options)
    result = _loaded(data, root, options)
    for note in result.notes:
        progress(message("data", note, can_wait=data in DATASETS))
    source = NAMED_DATA.source(data, root, **options)
    return result if source is None else replace(result, source=source)


def _loaded(data: Any, root: str | Path | None, options: Mapping[str, Any]) -> ImageTextData:
    languages, template = languages_of(options.get("languages")), options.get("template")
    described, cache = bool(options.get("descriptions")), cache_root(data_root(root))
    embedding = options.get("embedding") or EMBEDDING
    if data == EMOJI:
        return emoji_data(
            cache,
            languages=languages or tuple(LANGUAGES.split(",")),
            embedding=embedding,
            template=template,
            described=described,
        )
    if path := NAMED_DATA.path(data):
        file = _caption_file(path)
        collection = (
            class_folders(path, languages=languages, template=template, described=described)
            if file is None
            else captioned(file, languages=languages)
        )
        side = options.get("image_size") or IMAGE_SIZE
        return collection.read(side=side, embedding=embedding, tokenizers=cache / "tokenizers")
    result = NAMED_DATA.made(data, root) if isinstance(data, str) else data
    if not isinstance(result, ImageTextData):
        raise DataError(
            f"dataset {data}: expected it to return diswot.tasks.image_text.ImageTextData, but "
            f"got {type(result).__name__}"
        )
    return result


def _caption_file(path: Path) -> Path | None:
    """Return the caption file of a path; `None` for a folder without one.

    Raises:
        DataError: there is no such folder or file.
    """
    if path.is_dir():
        return next((path / name for name in FILES if (path / name).is_file()), None)
    if path.suffix.lower() in SUFFIXES and path.is_file():
        return path
    raise DataError(
        f"there is no folder of images or file of captions {path}: give a folder with a folder of "
        f"images for each class, or with {' or '.join(FILES)}"
    )


def _check_apply(data: Any, given: Mapping[str, Any]) -> None:
    """Make sure that options apply to the kind of data.

    Raises:
        OptionError: one of them does not.
    """
    path = NAMED_DATA.path(data)
    if data == EMOJI:
        unfit, why = {"image_size"}, "emoji have 32×32 pixels"
    elif path is None:
        unfit, why = set(given), "the data are made by Python code"
    elif path.is_file() or (path.is_dir() and _caption_file(path)):
        unfit, why = {"template", "descriptions"}, "captions are used as they are"
    else:
        return
    if wrong := [name for name in given if name in unfit]:
        raise OptionError(f"--{wrong[0].replace('_', '-')} does not apply, as {why}: leave it out")


def languages_of(text: str | None) -> tuple[str, ...] | None:
    """Return the languages of the option `languages`; `None` if it is not given.

    Raises:
        OptionError: one is empty, or named twice.
    """
    if text is None:
        return None
    languages = tuple(part.strip() for part in text.split(","))
    if not all(languages) or len({*languages}) < len(languages):
        raise OptionError(
            f"Expected different languages separated by commas, such as en,zh, but got {text!r}"
        )
    return languages
