"""Run an exported student on new examples, using only its exported files."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from diswot.errors import DataError, DiswotError, OptionError, RunFolderError, first_line
from diswot.export._formats import FORMATS, Format, find_format
from diswot.export._runners import Run
from diswot.options import takes_options
from diswot.progress import Progress, silent, tracked
from diswot.runs.folder import read_json
from diswot.tasks import Example, Prediction, find_task

Answer: TypeAlias = dict[str, Any]

_AT_ONCE = 32
"""Batch size of predictions."""


class ExportedStudent:
    """An exported student for predictions.

    Args:
        folder: a folder written by `export`.
        form: name of the format to run; by default the first whose runtime is installed and
            which cannot execute code. `torch.export` archives and `student.py` may execute
            code, and are only used if they are named.
        top: number of predictions per example, for example the top 5 classes.
        threshold: probability from which a label is predicted, of students that give an
            example any number of labels; by default 0.5.

    Raises:
        DiswotError: the folder is not an exported student, does not have the format, or its
            runtime is not installed.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        form: str | None = None,
        top: int = 1,
        threshold: float | None = None,
    ) -> None:
        self.folder = Path(folder)
        if top < 1:
            raise OptionError(f"Expected top to be at least 1, but got {top}")
        wanted = None if form is None else find_format(form)
        config = _read_config(self.folder)
        self.format = _chosen(self.folder, config, wanted)
        self.task = find_task(config["task"])
        self.prediction: Prediction = self.task.prediction(self.folder, config, top=top)
        self._set_threshold(threshold)
        self._names = [item["name"] for item in config["inputs"]]

    def _set_threshold(self, threshold: float | None) -> None:
        if threshold is None:
            return
        if self.prediction.threshold is None:
            raise OptionError(
                f"--threshold does not apply to the task {self.task.name}, whose students give "
                "one answer for each example: leave it out"
            )
        if not 0 <= threshold <= 1:
            raise OptionError(f"Expected a threshold from 0 to 1, but got {threshold:g}")
        self.prediction.threshold = threshold

    def load(self) -> Run:
        """Load the format; return a function from arrays (B, …), one per input, to outputs (B, …).

        Raises:
            RunFolderError: the file cannot be loaded.
        """
        if self.format.run is None:
            raise RunFolderError(f"{self.format.file} runs only on devices")
        try:
            run: Run = self.format.run(self.folder / self.format.file, self._names)
        except Exception as error:
            raise RunFolderError(
                f"{self.folder / self.format.file} cannot be loaded "
                f"({type(error).__name__}: {first_line(error)}): export the student again"
            ) from error
        return run

    def answers(
        self, examples: Sequence[str], *, progress: Progress = silent
    ) -> Iterator[tuple[str, Answer]]:
        """Yield each example with its prediction, or with an entry `error` if it is unreadable.

        Args:
            examples: examples as returned by `prediction.find`.
            progress: receives a step per example.
        """
        run = self.load()
        noun = f"{self.task.noun}s"
        waiting = tracked(examples, progress, noun, len(examples))
        while part := list(islice(waiting, _AT_ONCE)):
            results = [self._read(item) for item in part]
            read = [item for item in results if isinstance(item, Example)]
            inputs = zip(*(item.inputs for item in read), strict=True)
            outputs = iter(run(*map(np.stack, inputs)) if read else ())
            for name, item in zip(part, results, strict=True):
                yield name, item if isinstance(item, dict) else self._answer(next(outputs), item)

    def _answer(self, output: Any, example: Example) -> Answer:
        return self.prediction.answer(output, example)

    def _read(self, example: str) -> Example | Answer:
        try:
            return self.prediction.read(example)
        except DiswotError:
            raise
        except Exception as error:  # noqa: BLE001  (a damaged file may raise anything)
            return {"error": first_line(error)}


@takes_options
def predict(
    student: str | Path,
    examples: str | Path | Sequence[str | Path],
    *,
    form: str | None = None,
    top: int = 1,
    threshold: float | None = None,
    progress: Progress = silent,
) -> list[Answer]:
    """Predict examples with an exported student.

    Args:
        student: a folder written by `export`.
        examples: files, folders (all files that the student accepts), or texts.
        form: name of the format to run; by default the first whose runtime is installed and
            which cannot execute code.
        top: number of classes per example.
        threshold: probability from which a label is predicted, of students of the task
            `multi-label`; by default 0.5.
        progress: receives a step per example.

    Returns:
        One dictionary per example with its name `example` and the prediction: `label` and
        `probability` for images and texts, lists `labels` and `probabilities` for images with
        any number of labels, `x_1`, `y_1`, … for landmarks; or `error` if it
        cannot be read.

    Raises:
        DiswotError: the folder is not an exported student, the format cannot be run, or there
            are no such examples.
    """
    given = [examples] if isinstance(examples, str | Path) else list(examples)
    if not given:
        raise DataError("there is nothing to predict: name a file or a folder")
    asked = ExportedStudent(student, form=form, top=top, threshold=threshold)
    result = asked.prediction.find(list(map(str, given)))
    answered = asked.answers(result, progress=progress)
    return [{"example": name, **answer} for name, answer in answered]


def _read_config(folder: Path) -> Mapping[str, Any]:
    if not (folder / "config.json").is_file():
        raise RunFolderError(
            f"{folder} is not an exported student (it has no config.json): "
            "give the folder that diswot export wrote, such as RUN/student"
        )
    config = read_json(folder / "config.json")
    try:
        known = {"forms": config["forms"].keys(), "names": [i["name"] for i in config["inputs"]]}
        complete = isinstance(config["task"], str) and known["names"]
    except (AttributeError, KeyError, TypeError):
        complete = False
    if not complete:
        raise RunFolderError(
            f"{folder / 'config.json'} is not the configuration of a student: export it again"
        )
    return config


def _chosen(folder: Path, config: Mapping[str, Any], wanted: Format | None) -> Format:
    """Return the format to run.

    Raises:
        MissingExtraError: its runtime is not installed.
        OptionError: the folder does not have it, or only has formats that may execute code,
            which must be named.
    """
    there = [
        item
        for name, item in FORMATS.items()
        if name in config["forms"] and all((folder / file).is_file() for file in item.files)
    ]
    names = ", ".join(item.name for item in there) or "none"
    if wanted is not None:
        if wanted not in there:
            raise OptionError(f"{folder} has no {wanted.file}; its formats are {names}")
        wanted.require_runtime()
        return wanted
    safe = [item for item in there if item.run is not None and not item.is_code]
    for item in safe:
        if item.runs_here:
            return item
    if safe:
        safe[0].require_runtime()
    raise OptionError(
        f"{folder} has only {names}, which can execute code in the file: if you trust it, "
        f"name one of them with --form"
    )
