"""The task of text classification."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from diswot.errors import DataError
from diswot.progress import Progress, silent
from diswot.tasks._accuracy import Top1
from diswot.tasks._correlation import Matthews
from diswot.tasks._metric import Metric
from diswot.tasks._packaging import Packaging
from diswot.tasks._task import Dataset
from diswot.tasks._token_task import TokenTask
from diswot.tasks.text._catalog import DATASETS, NAMED_DATA, check_texts, load_texts
from diswot.tasks.text._options import TextOptions
from diswot.tasks.text._packaging import packaging
from diswot.tasks.text._prediction import TextPrediction
from diswot.tasks.text._teachers import SOURCES
from diswot.tasks.text._text_data import TextData, UnlabeledTexts
from diswot.teachers import TeacherSources
from search_spaces import Signature


class TextClassification(TokenTask):
    """Text classification with one class per text."""

    name = "text"
    summary = "classification of texts"
    noun = "text"
    reads = TokenTask.reads | {"attention"}
    options = TextOptions
    datasets = DATASETS
    named_data = NAMED_DATA
    data = "python-docs"
    teacher = "encoder-medium"
    space = "text-encoder"

    def check(self, data: Any, **options: Any) -> None:
        """Check the name and options of data before anything is read, see `check_texts`."""
        check_texts(data, **options)

    def load(
        self,
        data: Any,
        *,
        root: str | Path | None = None,
        progress: Progress = silent,
        **options: Any,
    ) -> TextData:
        """Load labeled texts, see `load_texts`."""
        return load_texts(data, root=root, progress=progress, **options)

    def metrics(self, _signature: Signature) -> tuple[Metric, ...]:
        """Return top-1 accuracy, and the Matthews correlation."""
        return Top1(), Matthews()

    def packaging(self, signature: Signature, dataset: Dataset | None = None) -> Packaging:
        """Return config and files of an exported classifier."""
        return packaging(signature, dataset)

    def prediction(
        self, folder: Path, config: Mapping[str, Any], *, top: int = 1
    ) -> TextPrediction:
        """Return the reader of examples and formatter of predictions of an exported student."""
        return TextPrediction(folder, config, top=top)

    def prepared(self, dataset: Dataset, options: Mapping[str, Any]) -> Dataset:
        """Return the texts to train on.

        Raises:
            DataError: they have no labels.
        """
        if isinstance(dataset, UnlabeledTexts):
            raise DataError(
                f"{dataset.name} has no labels, by which students are fine-tuned and selected: "
                "give texts with labels"
            )
        return super().prepared(dataset, options)

    @property
    def teacher_sources(self) -> TeacherSources:
        """Built-in encoders, and encoders of Hugging Face."""
        return SOURCES
