"""Pairs of images and captions, on which dual encoders are trained."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor, nn

from diswot.tasks._batch import Batch
from diswot.tasks._content_digest import content_digest
from diswot.tasks._examples import Changes, SplitName, TrainingBatches
from diswot.tasks._metric import Metric
from diswot.tasks._pixels import Pixels, normalized
from diswot.tasks._source import Source
from diswot.tasks._task import Task
from diswot.tasks._tasks import find_task
from diswot.tasks._tokenizer import TextTokenizer
from diswot.tasks.image_text._labeled_images import LabeledImages
from diswot.tasks.image_text._metrics import Retrieval
from diswot.tasks.image_text._prompts import ClassNames
from diswot.tasks.image_text._targets import Targets
from diswot.tasks.image_text._tokens import tokens_of
from diswot.tasks.image_text._training_batches import ImageBatches
from search_spaces import Signature, TensorSpec


@dataclass(frozen=True, eq=False)
class ImageTextPairs:
    """Images with captions: the names of their classes, alone or in a sentence, in any language.

    In training batches, language and form of a caption are drawn in every epoch; in evaluation
    batches, captions are sentences whose languages alternate.

    Attributes:
        name: name in manifests.
        train: training images.
        val: validation images.
        test: test images.
        names: names of the classes.
        pixels: normalization of the images.
        tokenizer: tokenizer of the captions.
        length: length of captions in tokens.
        embedding: length of one embedding; networks return two.
        notes: always empty.
        source: always `None`.
    """

    name: str
    train: LabeledImages
    val: LabeledImages
    test: LabeledImages
    names: ClassNames
    pixels: Pixels
    tokenizer: TextTokenizer
    length: int
    embedding: int
    notes: tuple[str, ...] = ()
    source: Source | None = field(default=None, init=False)

    @property
    def task(self) -> Task:
        """The task `image-text`."""
        return find_task("image-text")

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The share of images whose caption is found among those of the batch."""
        return (Retrieval(),)

    @cached_property
    def signature(self) -> Signature:
        """Signature of dual encoders: images, token ids and mask, and two embeddings."""
        return Signature(
            (
                TensorSpec("images", tuple(self.train.images.shape[1:])),
                TensorSpec("input_ids", (self.length,), "int64", high=self.tokenizer.vocabulary),
                TensorSpec("attention_mask", (self.length,), "bool"),
            ),
            2 * self.embedding,
            {**self.pixels, "tokenizer": self.tokenizer.digest},
        )

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all images, labels and captions."""
        splits = (self.train, self.val, self.test)
        return content_digest(
            (self.names.by_language, self.embedding),
            (item for split in splits for item in (split.images, split.labels)),
            unshaped=self._captions[:1],
        )

    @cached_property
    def _captions(self) -> tuple[Tensor, Tensor]:
        """Token ids and masks of all captions (languages, forms, classes, L)."""
        texts = [
            text
            for language in self.names.languages
            for form in (self.names.prompts(language), self.names.by_language[language])
            for text in form
        ]
        ids, mask = tokens_of(self.tokenizer, texts, length=self.length)
        shape = (len(self.names.languages), 2, len(self.names), self.length)
        return ids.view(shape), mask.view(shape)

    def split(self, name: SplitName) -> LabeledImages:
        """Return the images of a split."""
        return {"train": self.train, "val": self.val, "test": self.test}[name]

    def size(self, split: SplitName) -> int:
        """Return the number of images of a split."""
        return len(self.split(split))

    def batch(self, split: SplitName, indices: Tensor, *, device: str = "cpu") -> Batch:
        """Return images (B, C, H, W), token ids (B, L) and masks (B, L) of a split."""
        examples = self.split(split)
        images = normalized(examples.images[indices].to(device), self.pixels)
        languages = indices % len(self.names.languages)
        captions = self._of(examples.labels[indices], languages, torch.zeros_like(indices))
        targets = Targets(labels=examples.labels[indices])
        return Batch((images, *captions), targets, targets["labels"], indices).to(device)

    def training(
        self,
        changes: Changes,
        *,
        device: str = "cpu",
        teachers: Mapping[str, nn.Module] | None = None,  # noqa: ARG002
    ) -> TrainingBatches:
        """Return a source of training batches, whose images are translated.

        Raises:
            OptionError: `changes` have label smoothing, mixup or CutMix.
        """
        return ImageBatches(
            self.train.images,
            self.pixels,
            changes,
            device,
            targets=lambda indices: Targets(labels=self.train.labels[indices]),
            captions=self._drawn,
        )

    def for_teacher(self, teacher: str) -> "ImageTextPairs":  # noqa: ARG002
        """Return these pairs."""
        return self

    def summary(self) -> str:
        """Return one line with sizes of splits and the number of classes."""
        return (
            f"{self.name}: {len(self.train):,} train, {len(self.val):,} val, {len(self.test):,} "
            f"test images of {len(self.names)} classes with captions"
        )

    def _drawn(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        """Draw a caption for each training image by torch's global generator."""
        languages = torch.randint(len(self.names.languages), (len(indices),))
        forms = torch.randint(2, (len(indices),))
        return self._of(self.train.labels[indices], languages, forms)

    def _of(self, labels: Tensor, languages: Tensor, forms: Tensor) -> tuple[Tensor, Tensor]:
        ids, mask = self._captions
        return ids[languages, forms, labels], mask[languages, forms, labels]
