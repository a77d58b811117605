"""Export of students of any task: several inputs, integers, dynamic axes, regression."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import diswot
from diswot.errors import ExportError, OptionError
from diswot.export import Exported
from diswot.tasks import Batch, Dataset, Examples, Measure, Metric, Source, SplitName, Task
from search_spaces import Signature, TensorSpec
from tests.forked import run_programs

pytestmark = pytest.mark.processes

WORDS = 30
IMPORTS = "torch,onnxruntime,PIL.Image"
TAKES = Signature((TensorSpec("words", (None,), "int64", high=WORDS), TensorSpec("at", (2,))), 3)


class Distance(Metric):
    """Mean absolute error."""

    name, unit, higher_is_better = "error", "mm", False

    def values(self, output: Tensor, batch: Batch) -> Tensor:
        found: Tensor = (output - batch.targets).abs().mean(1)
        return found

    def is_near_chance(self, values: Tensor, dataset: Examples, split: SplitName) -> bool:
        return bool(values.mean() > 10)

    def summarize(self, values: Tensor, dataset: Examples, split: SplitName) -> Measure:
        mean, count = float(values.mean()), len(values)
        return Measure("error", mean, mean / 2, 2 * mean, count, "mm", higher_is_better=False)


class Places(Task):
    """Takes words and a position, and predicts three numbers."""

    name, summary, noun, reads = "places", "places of words", "sentence", frozenset[str]()
    data = teacher = space = "none"
    losses = ("alone",)

    def check(self, data: Any, **options: Any) -> None: ...

    def load(self, data: Any, **_: Any) -> Dataset:
        found: Dataset = data
        return found


PLACES = Places()


@dataclass(frozen=True)
class Sentences:
    """Batches of sentences of equal length, the same in every split."""

    name: str = "sentences"
    notes: tuple[str, ...] = ()
    task: Task = PLACES
    signature: Signature = TAKES
    digest: str = "0"
    metrics: tuple[Metric, ...] = (Distance(),)
    source: Source | None = None
    seed: int = 0

    def size(self, split: SplitName) -> int:
        return 300

    def batch(self, split: SplitName, indices: Tensor, *, device: str = "cpu") -> Batch:
        generator = torch.Generator().manual_seed(self.seed)
        length = 4 + int(indices[0]) % 3
        words = torch.randint(WORDS, (300, length), generator=generator)
        at, targets = (torch.randn(300, size, generator=generator) for size in (2, 3))
        return Batch((words[indices], at[indices]), targets[indices], None, indices)

    def training(self, changes: Any, *, device: str = "cpu", teachers: Any = None) -> Any:
        raise NotImplementedError

    def for_teacher(self, teacher: str) -> "Sentences":
        return self

    def summary(self) -> str:
        return "sentences: 300"


class Student(nn.Module):
    def __init__(self, body: Callable[[Tensor], Tensor] = lambda x: x) -> None:
        super().__init__()
        self.known, self.head = nn.Embedding(WORDS, 8), nn.Linear(10, 3)
        self.body = body

    def forward(self, words: Tensor, at: Tensor) -> dict[str, Tensor]:
        read = self.body(self.known(words)).mean(1)
        return {"places": self.head(torch.cat([read, at], 1))}


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[nn.Module, Exported]:
    torch.manual_seed(0)
    student = Student()
    folder = tmp_path_factory.mktemp("any") / "student"
    return student, diswot.export(student, folder, data=Sentences(), int8=True)


def test_every_form_has_the_metric_of_the_network(
    exported: tuple[nn.Module, Exported],
) -> None:
    student, done = exported
    expected = Distance().measure(student, Sentences(), "test")
    assert list(done.forms) == ["source", "pt2", "onnx", "int8"]
    for name in ("source", "pt2", "onnx"):
        measure = done.forms[name].measure
        assert measure is not None
        assert measure.value == pytest.approx(expected.value, rel=1e-5)
        assert (measure.name, measure.unit, measure.higher_is_better) == ("error", "mm", False)


def test_texts_name_the_metric_with_its_unit(exported: tuple[nn.Module, Exported]) -> None:
    _, done = exported
    config = json.loads((done.folder / "config.json").read_text())
    card = (done.folder / "README.md").read_text()
    assert config["task"] == "places"
    assert config["metric"] == {"name": "error", "unit": "mm", "higher_is_better": False}
    assert f"| test error (lower is better) | {done.forms['source'].measure} |" in card
    assert "| format | error |" in card
    assert "median for one sentence on a CPU" in card
    for word in ("image", "class", "accuracy", "logits"):
        assert word not in card, word


def test_the_script_takes_an_array_for_each_input(
    exported: tuple[nn.Module, Exported], tmp_path: Path
) -> None:
    student, done = exported
    words, at = np.array([3, 1, 4, 1, 5]), np.array([0.5, -2], np.float32)
    for name, values in (("words", words), ("at", at)):
        np.save(tmp_path / f"{name}.npy", values)
    given = (tmp_path / "words.npy", tmp_path / "at.npy")
    expected = student(torch.from_numpy(words)[None], torch.from_numpy(at)[None])["places"][0]
    files = ("student.py", "student.pt2", "student.onnx")
    programs: list[list[str | Path]] = [
        [done.folder / "predict.py", *given, file] for file in files
    ]
    for ended in run_programs(programs, imports=IMPORTS):
        assert ended.status == 0, ended.err
        assert json.loads(ended.out) == pytest.approx(expected.tolist(), abs=1e-5)


def test_the_code_in_the_model_card_runs(exported: tuple[nn.Module, Exported]) -> None:
    folder = exported[1].folder
    card = (folder / "README.md").read_text()
    blocks = [part.split("```")[0] for part in card.split("```python\n")[1:]]
    program = ("-c", "\n".join(blocks))
    (done,) = run_programs([program], imports=IMPORTS, folder=folder)
    assert done.status == 0, done.err
    assert len(blocks) == 4


def test_a_metric_other_than_reported_is_refused(tmp_path: Path) -> None:
    torch.manual_seed(0)
    data = Sentences()
    reported = Measure("error", 1.25, 1, 2, 300, "mm", higher_is_better=False)
    noted = {"data": data.name, "test": reported.to_json()}
    with pytest.raises(ExportError, match=r"test error is .* mm .*, but 1.25 mm .* was reported"):
        diswot.export(Student(), tmp_path / "s", data=data, metrics=noted, onnx=False)
    assert not list(tmp_path.iterdir())


def test_a_network_for_a_single_length_is_refused(tmp_path: Path) -> None:
    fixed = Student(lambda x: x + torch.zeros(1, 16, 1))
    with pytest.raises(ExportError, match="does not run on 8 examples"):
        diswot.export(fixed, tmp_path / "s", data=Sentences())


def test_a_signature_without_images_requires_a_task(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="describes no images"):
        diswot.export(Student(), tmp_path / "s", signature=TAKES)


def test_data_with_another_signature_is_refused(tmp_path: Path) -> None:
    other = Signature(TAKES.inputs, 4)
    with pytest.raises(OptionError, match="name the data that it was trained on"):
        diswot.export(Student(), tmp_path / "s", signature=other, data=Sentences())
