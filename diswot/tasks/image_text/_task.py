"""The task of images with texts."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import nn

from diswot.errors import TeacherError
from diswot.options import TEACHER_VIEWS
from diswot.progress import Progress, message, silent
from diswot.tasks._examples import Changes
from diswot.tasks._metric import Metric
from diswot.tasks._packaging import Packaging
from diswot.tasks._task import Dataset, Task
from diswot.tasks.image_text._catalog import (
    DATASETS,
    NAMED_DATA,
    check_image_text,
    load_image_text,
)
from diswot.tasks.image_text._dual_encoder import DualEncoder
from diswot.tasks.image_text._image_text_data import ImageTextData
from diswot.tasks.image_text._metrics import ZeroShot
from diswot.tasks.image_text._options import ImageTextOptions
from diswot.tasks.image_text._packaging import packaging
from diswot.tasks.image_text._prediction import ImageTextPrediction
from diswot.tasks.image_text._teachers import SOURCES
from diswot.tasks.image_text._training_batches import check_changes
from diswot.teachers import Teacher, TeacherSources
from search_spaces import Signature


class ImageText(Task):
    """Image towers that share the embedding space of a vision-language teacher such as CLIP."""

    name = "image-text"
    summary = "image encoders of vision-language teachers"
    noun = "image"
    reads = frozenset(
        {
            "real inputs",
            "outputs",
            "labels",
            "text embeddings",
            "features",
            "feature maps",
            "stages",
        }
    )
    options = ImageTextOptions
    datasets = DATASETS
    named_data = NAMED_DATA
    data = "emoji"
    teacher = "dual-medium"
    space = "vision-tower"
    losses = ("text_ce", "vlm-ood")
    teacher_loss = "image_text"
    outputs = "numbers of an embedding"
    teacher_views = TEACHER_VIEWS

    def check(self, data: Any, **options: Any) -> None:
        """Check the name and options of data before anything is read."""
        check_image_text(data, **options)

    def load(
        self,
        data: Any,
        *,
        root: str | Path | None = None,
        progress: Progress = silent,
        **options: Any,
    ) -> ImageTextData:
        """Load images with texts, see `load_image_text`."""
        return load_image_text(data, root=root, progress=progress, **options)

    def metrics(self, signature: Signature) -> tuple[Metric, ...]:
        """Return the zero-shot accuracy in each language, the one of training first.

        Raises:
            KeyError: the facts have no languages.
        """
        languages = signature.facts["languages"]
        return tuple(
            ZeroShot(language, first=number == 0) for number, language in enumerate(languages)
        )

    def packaging(self, signature: Signature, dataset: Dataset | None = None) -> Packaging:
        """Return config, classes and templates of an exported image tower."""
        return packaging(signature, dataset)

    def prediction(
        self, folder: Path, config: Mapping[str, Any], *, top: int = 1
    ) -> ImageTextPrediction:
        """Return the reader of examples and formatter of predictions of an exported student."""
        return ImageTextPrediction(folder, config, top=top)

    def recipe(self, _dataset: Dataset) -> Mapping[str, Any]:
        """Return AdamW at learning rate 0.003 for 10 epochs, with warm-up and a cosine schedule."""
        return {
            "epochs": 10,
            "optimizer": "adamw",
            "learning_rate": 0.003,
            "schedule": "cosine",
            "warmup_epochs": 0.5,
        }

    def prepared(self, dataset: Dataset, options: Mapping[str, Any]) -> Dataset:
        """Return the data with the option `teacher_view` applied."""
        view = options.get("teacher_view")
        if view is None or not isinstance(dataset, ImageTextData):
            return dataset
        return replace(dataset, teacher_view=view)

    def check_changes(self, changes: Changes) -> None:
        """Raise for label smoothing, mixup and CutMix, which need class probabilities."""
        check_changes(changes)

    def check_trained(
        self,
        teacher: Teacher,  # noqa: ARG002
        network: nn.Module,
        dataset: Dataset,
        *,
        progress: Progress = silent,
        **options: Any,  # noqa: ARG002
    ) -> str | None:
        """Report how many prompts are longer than the teacher's tokenizer accepts."""
        if isinstance(dataset, ImageTextData) and isinstance(network, DualEncoder):
            texts = dataset.prompts
            if cut := network.cut(texts):
                note = f"{cut:,} of {len(texts):,} prompts are cut, as they are too long"
                progress(message("teacher", f"{note} for its tokenizer"))
        return None

    @property
    def teacher_sources(self) -> TeacherSources:
        """Built-in dual encoders."""
        return SOURCES

    def with_teacher(self, dataset: Dataset, teacher: nn.Module) -> Dataset:
        """Return the data with the teacher's text embeddings of their classes.

        Raises:
            TeacherError: the teacher does not embed texts.
        """
        if not isinstance(dataset, ImageTextData):
            return dataset
        if not isinstance(teacher, DualEncoder):
            raise TeacherError(
                f"Expected a teacher that embeds images and texts, but got "
                f"{type(teacher).__name__}: subclass diswot.tasks.image_text.DualEncoder"
            )
        return dataset.with_teacher(teacher)
