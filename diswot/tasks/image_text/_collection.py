"""Image files with classes, before their pixels are read."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import torch

from diswot.errors import DataError, first_line
from diswot.tasks._image_file import read_image
from diswot.tasks._tokenizer import kept_tokenizer
from diswot.tasks._usual_length import usual_length
from diswot.tasks.image_text._image_text_data import ImageTextData
from diswot.tasks.image_text._labeled_images import LabeledImages, Pairs
from diswot.tasks.image_text._prompts import ClassNames

Files: TypeAlias = Sequence[tuple[Path, int]]
"""Image files with the index of their class."""

CHANNELS = 3
VOCABULARY = 2_000
LEAST_CLASSES = 2


@dataclass(frozen=True)
class Collection:
    """Image files of seen and unseen classes.

    Attributes:
        name: name of the data.
        seen: names of the seen classes.
        unseen: names of the unseen classes.
        train: training images, of seen classes.
        val: validation images, of seen classes.
        test: test images, of unseen classes.
        pairs: further training images of a teacher without weights, of unseen classes.
        notes: what was inferred or left out, as text.
    """

    name: str
    seen: ClassNames
    unseen: ClassNames
    train: Files
    val: Files
    test: Files
    pairs: Files = ()
    notes: tuple[str, ...] = field(default=())

    def read(self, *, side: int, embedding: int, tokenizers: Path) -> ImageTextData:
        """Read the images, and train a tokenizer on the prompts.

        Args:
            side: height and width to which images are resized.
            embedding: length of embeddings.
            tokenizers: folder in which tokenizers are cached.

        Raises:
            DataError: an image cannot be read.
            MissingExtraError: `tokenizers` is not installed.
        """
        prompts = self.seen.joined(self.unseen).all_prompts
        tokenizer = kept_tokenizer(prompts, vocabulary=VOCABULARY, kept_in=tokenizers)
        train, val, test, pairs = (
            _images(files, side) for files in (self.train, self.val, self.test, self.pairs)
        )
        of_teacher = LabeledImages(
            torch.cat([train.images, pairs.images]),
            torch.cat([train.labels, pairs.labels + len(self.seen)]),
        )
        return ImageTextData(
            self.name,
            train,
            val,
            test,
            self.seen,
            self.unseen,
            Pairs(of_teacher, val, val),
            tokenizer,
            usual_length([tokenizer.encode(prompt) for prompt in prompts]),
            embedding,
            notes=self.notes,
        )


def check_classes(seen: int, unseen: int, where: Path | str, *, what: str) -> None:
    """Make sure that there are enough classes.

    Args:
        seen: number of seen classes.
        unseen: number of unseen classes.
        where: the place for messages.
        what: what classes are called, such as `classes`.

    Raises:
        DataError: there are fewer than two of a kind.
    """
    for kind, count in (("seen", seen), ("unseen", unseen)):
        if count < LEAST_CLASSES:
            raise DataError(
                f"{where}: expected at least {LEAST_CLASSES} {kind} {what}, but got {count}: add "
                f"images of more {what}"
            )


def _images(files: Files, side: int) -> LabeledImages:
    """Read images as (n, 3, side, side), uint8.

    Raises:
        DataError: a file is missing, or not an image.
    """
    images = torch.empty((len(files), CHANNELS, side, side), dtype=torch.uint8)
    for row, (path, _) in zip(images, files, strict=True):
        try:
            row.copy_(torch.from_numpy(read_image(path, (CHANNELS, side, side))))
        except Exception as error:  # Pillow raises anything
            raise DataError(
                f"{path} cannot be read as an image ({first_line(error)}): restore it, or leave it "
                "out"
            ) from error
    return LabeledImages(images, torch.tensor([label for _, label in files], dtype=torch.int64))
