"""Datasets of the task `image-text`."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from diswot.tasks._batch import Batch
from diswot.tasks._content_digest import content_digest
from diswot.tasks._examples import Changes, SplitName, TrainingBatches
from diswot.tasks._metric import Metric
from diswot.tasks._pixels import Pixels, normalized, pixel_statistics
from diswot.tasks._source import Source
from diswot.tasks._task import Task
from diswot.tasks._tasks import find_task
from diswot.tasks._tokenizer import TextTokenizer
from diswot.tasks.image_text._dual_encoder import DualEncoder
from diswot.tasks.image_text._labeled_images import LabeledImages, Pairs
from diswot.tasks.image_text._pairs import ImageTextPairs
from diswot.tasks.image_text._prompts import ClassNames
from diswot.tasks.image_text._targets import Targets
from diswot.tasks.image_text._training_batches import ImageBatches
from search_spaces import Signature, TensorSpec

Group = str
"""`seen` or `unseen`: classes of the training split, and the other ones."""


@dataclass(frozen=True, eq=False)
class ImageTextData:
    """Images of classes that are described by texts; the classes of the test split are unseen.

    Networks return embeddings of images. An image is classified as the class whose text
    embedding has the largest cosine to its own. Text embeddings are those of the teacher, see
    [`with_teacher`][diswot.tasks.image_text.ImageTextData.with_teacher].

    Attributes:
        name: name in manifests.
        train: training images, of seen classes.
        val: validation images, of seen classes.
        test: test images, of unseen classes.
        seen: names of the seen classes.
        unseen: names of the unseen classes, which no student is trained on.
        pairs: training, validation and test images of all classes, seen ones first, on which a
            teacher without weights is trained.
        tokenizer: the tokenizer of its captions.
        length: length of its captions in tokens.
        embedding: length of embeddings.
        texts: group of classes → language → text embeddings (N, D) of length one; empty
            without a teacher.
        teacher_view: images for teachers in training: `student` for the student's augmented
            images, `own` or `auto` for the images without augmentation, as in VLM-OOD.
        notes: what was inferred or left out, as text.
        source: name and options with which the data can be loaded again, if known.
    """

    name: str
    train: LabeledImages
    val: LabeledImages
    test: LabeledImages
    seen: ClassNames
    unseen: ClassNames
    pairs: Pairs
    tokenizer: TextTokenizer
    length: int
    embedding: int
    texts: Mapping[Group, Mapping[str, Tensor]] = field(default_factory=dict)
    teacher_view: str = "auto"
    notes: tuple[str, ...] = ()
    source: Source | None = None

    @property
    def task(self) -> Task:
        """The task `image-text`."""
        return find_task("image-text")

    @cached_property
    def pixels(self) -> Pixels:
        """Mean and standard deviation per channel of the training images, after division by 255."""
        return pixel_statistics(self.train.images)

    @cached_property
    def signature(self) -> Signature:
        """Signature of students; its `facts` contain normalization, languages and class counts."""
        facts = {
            **self.pixels,
            "languages": list(self.seen.languages),
            "classes": {"seen": len(self.seen), "unseen": len(self.unseen)},
        }
        shape = tuple(self.train.images.shape[1:])
        return Signature((TensorSpec("images", shape),), self.embedding, facts)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all images, class names and text embeddings."""
        names = (self.seen.by_language, self.prompts, self.embedding, self.length)
        splits = (self.train, self.val, self.test, *self.pairs)
        return content_digest(
            (names, self.tokenizer.digest),
            (item for split in splits for item in (split.images, split.labels)),
            unshaped=(texts for group in self.texts.values() for texts in group.values()),
        )

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics of the task."""
        return self.task.metrics(self.signature)

    def split(self, name: SplitName) -> LabeledImages:
        """Return the images of a split."""
        return {"train": self.train, "val": self.val, "test": self.test}[name]

    def size(self, split: SplitName) -> int:
        """Return the number of images of a split."""
        return len(self.split(split))

    def class_labels(self, split: SplitName) -> Tensor:
        """Return the classes (n,) of a split, seen or unseen ones."""
        return self.split(split).labels

    def names(self, split: SplitName) -> ClassNames:
        """Return the names of the classes of a split."""
        return self.unseen if split == "test" else self.seen

    def targets(self, split: SplitName, indices: Tensor) -> Targets:
        """Return the classes of images, and the text embeddings of the classes of their split."""
        targets = Targets(labels=self.split(split).labels[indices])
        group = "unseen" if split == "test" else "seen"
        return Targets(**targets, texts=self.texts[group]) if self.texts else targets

    def batch(self, split: SplitName, indices: Tensor, *, device: str = "cpu") -> Batch:
        """Return normalized images (B, C, H, W) of a split; the targets are `Targets`."""
        targets = self.targets(split, indices)
        images = normalized(self.split(split).images[indices].to(device), self.pixels)
        return Batch((images,), targets, targets["labels"], indices).to(device)

    def training(
        self,
        changes: Changes,
        *,
        device: str = "cpu",
        teachers: Mapping[str, nn.Module] | None = None,
    ) -> TrainingBatches:
        """Return a source of training batches, whose images are translated.

        Raises:
            OptionError: `changes` have label smoothing, mixup or CutMix.
        """
        seen = {name: texts.to(device) for name, texts in self.texts.get("seen", {}).items()}
        here = replace(self, texts={"seen": seen} if seen else {})  # moved once for all batches
        return ImageBatches(
            self.train.images,
            self.pixels,
            changes,
            device,
            targets=lambda indices: here.targets("train", indices),
            clean=() if self.teacher_view == "student" else teachers or (),
        )

    def for_teacher(self, teacher: str) -> "ImageTextPairs":  # noqa: ARG002
        """Return the data on which a teacher without weights is trained: pairs of all classes."""
        names = self.seen.joined(self.unseen)
        return ImageTextPairs(
            f"{self.name}-pairs",
            *self.pairs,
            names=names,
            pixels=self.pixels,
            tokenizer=self.tokenizer,
            length=self.length,
            embedding=self.embedding,
        )

    @property
    def prompts(self) -> tuple[str, ...]:
        """The sentences about all classes in all languages."""
        return (*self.seen.all_prompts, *self.unseen.all_prompts)

    @torch.no_grad()
    def with_teacher(self, teacher: DualEncoder) -> "ImageTextData":
        """Return the same images with a teacher's text embeddings of their classes.

        Args:
            teacher: a dual encoder, in evaluation mode.
        """
        texts = {
            group: {
                language: F.normalize(teacher.embed_texts(names.prompts(language)), dim=1).cpu()
                for language in names.languages
            }
            for group, names in (("seen", self.seen), ("unseen", self.unseen))
        }
        return replace(self, texts=texts)

    def summary(self) -> str:
        """Return one line with sizes of splits, shape, classes and languages."""
        channels, height, width = self.train.images.shape[1:]
        return (
            f"{self.name}: {len(self.train):,} train, {len(self.val):,} val images of "
            f"{len(self.seen)} seen classes, {len(self.test):,} test images of {len(self.unseen)} "
            f"unseen classes, {channels}×{height}×{width}, {' and '.join(self.seen.languages)}"
        )
