"""The task of classifying source code."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from diswot.progress import Progress, silent
from diswot.tasks._accuracy import Top1
from diswot.tasks._macro_f1 import MacroF1
from diswot.tasks._metric import Metric
from diswot.tasks._packaging import Packaging
from diswot.tasks._task import Dataset
from diswot.tasks._token_task import TokenTask
from diswot.tasks.code._catalog import DATASETS, NAMED_DATA, PATTERNS, check_code, load_code
from diswot.tasks.code._code_data import CodeData
from diswot.tasks.code._options import CodeOptions
from diswot.tasks.code._packaging import packaging
from diswot.tasks.code._prediction import CodePrediction
from diswot.tasks.code._teachers import SOURCES
from diswot.teachers import TeacherSources
from search_spaces import Signature


class CodeClassification(TokenTask):
    """Classification of source code, such as contracts with and without a vulnerability."""

    name = "code"
    summary = "classification of source code, such as contracts by vulnerability"
    noun = "program"
    options = CodeOptions
    datasets = DATASETS
    named_data = NAMED_DATA
    data = PATTERNS
    teacher = "gated-medium"
    space = "gated-convolution"

    def check(self, data: Any, **options: Any) -> None:
        """Check the name and options of data before anything is read, see `check_code`."""
        check_code(data, **options)

    def load(
        self,
        data: Any,
        *,
        root: str | Path | None = None,
        progress: Progress = silent,
        **options: Any,
    ) -> CodeData:
        """Load labeled programs, see `load_code`."""
        return load_code(data, root=root, progress=progress, **options)

    def metrics(self, _signature: Signature) -> tuple[Metric, ...]:
        """Return macro F1, which selects epochs and students, and top-1 accuracy."""
        return MacroF1(), Top1()

    def packaging(self, signature: Signature, dataset: Dataset | None = None) -> Packaging:
        """Return config and files of an exported classifier."""
        return packaging(signature, dataset)

    def prediction(
        self, folder: Path, config: Mapping[str, Any], *, top: int = 1
    ) -> CodePrediction:
        """Return the reader of examples and formatter of predictions of an exported student."""
        return CodePrediction(folder, config, top=top)

    @property
    def teacher_sources(self) -> TeacherSources:
        """Built-in gated convolutional networks."""
        return SOURCES
