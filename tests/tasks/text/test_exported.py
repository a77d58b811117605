"""Exported text classifiers, which run without the library."""

import json
from pathlib import Path

import pytest
import torch

from diswot.errors import ExportError, OptionError
from diswot.export import export, predict
from diswot.tasks import find_task
from diswot.tasks.text import TextData
from search_spaces import Signature, TensorSpec, TextEncoder
from tests.forked import run_programs
from tests.tasks.text.conftest import PAIRS, encoder_for

pytestmark = pytest.mark.processes


@pytest.fixture
def student(data: TextData) -> TextEncoder:
    return encoder_for(data).eval()


def test_the_script_names_the_class_of_a_text(
    data: TextData, student: TextEncoder, tmp_path: Path
) -> None:
    folder = tmp_path / "student"
    done = export(student, folder, data=data, onnx=False, pt2=False)
    assert "tokenizer.json" in done.files
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "2 classes for texts of up to 8 tokens" in card
    text, _ = PAIRS[3]
    row = data.tokenizer.encode(text)[:8]
    tokens = torch.tensor([row + [0] * (8 - len(row))])
    if len(data.tokenizer.encode(text)) > 8:
        tokens[0, -1] = 2
    with torch.no_grad():
        shares = student(tokens, tokens != 0).softmax(1)[0]
    expected = f"{data.classes[int(shares.argmax())]} {float(shares.max()):.1%}"
    program = folder / "predict.py"
    runs = [(program, text), (program, "-")]
    for ended in run_programs(runs, imports="torch", folder=tmp_path, given=text):
        assert (ended.status, ended.out.decode().strip()) == (0, expected), ended.err
    (tmp_path / "new.txt").write_text(f"{text}\n\n{PAIRS[0][0]}\n", encoding="utf-8")
    first, second = predict(folder, [tmp_path / "new.txt"], form="source")
    assert (first["example"], second["example"]) == (text, PAIRS[0][0])
    assert f"{first['label']} {first['probability']:.1%}" == expected


def test_without_data_the_script_takes_token_ids(student: TextEncoder, tmp_path: Path) -> None:
    takes = Signature(
        (
            TensorSpec("input_ids", (8,), "int64", high=50),
            TensorSpec("attention_mask", (8,), "bool"),
        ),
        2,
    )
    export(student, tmp_path / "student", signature=takes, task="text", onnx=False, pt2=False)
    config = json.loads((tmp_path / "student" / "config.json").read_text())
    assert "classes" not in config
    assert not (tmp_path / "student" / "tokenizer.json").exists()
    with pytest.raises(OptionError, match="the student takes 2 arrays"):
        predict(tmp_path / "student", ["a text"], form="source")


def test_image_classifiers_are_refused() -> None:
    images = Signature((TensorSpec("images", (3, 8, 8)),), 2)
    with pytest.raises(ExportError, match="images 3×8×8, which is not text"):
        find_task("text").packaging(images)


def test_examples_have_texts_of_different_lengths(data: TextData) -> None:
    packaging = find_task("text").packaging(data.signature, data)
    tokens, mask = packaging.example(50, generator=torch.Generator().manual_seed(0))
    assert len(set(mask.sum(dim=1).tolist())) > 4
    assert mask.any(dim=1).all()
    assert (tokens[~mask] == 0).all()


@pytest.mark.slow
def test_transformers_loads_the_folder(
    data: TextData, student: TextEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    transformers = pytest.importorskip("transformers")
    cache = "transformers.dynamic_module_utils.HF_MODULES_CACHE"
    monkeypatch.setattr(cache, str(tmp_path / "cache"))
    folder = tmp_path / "student"
    export(student, folder, data=data, onnx=False, pt2=False)
    auto, more = transformers.AutoModelForSequenceClassification, {"trust_remote_code": True}
    loaded, report = auto.from_pretrained(folder, output_loading_info=True, **more)
    assert not any(report[kind] for kind in ("missing_keys", "unexpected_keys"))
    tokenizer = transformers.PreTrainedTokenizerFast.from_pretrained(folder)
    texts = [text for text, _ in PAIRS[:5]]
    given = tokenizer(texts, padding="max_length", truncation=True, return_tensors="pt")
    with torch.no_grad():
        found = loaded.eval()(given["input_ids"], attention_mask=given["attention_mask"]).logits
        expected = student(given["input_ids"], given["attention_mask"].bool())
    torch.testing.assert_close(found, expected)
    assert loaded.config.id2label == dict(enumerate(data.classes))


@pytest.mark.slow
def test_exported_programs_take_any_batch_size_and_length(
    data: TextData, student: TextEncoder, tmp_path: Path
) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    folder = tmp_path / "student"
    done = export(student, folder, data=data)
    assert not done.left_out
    assert json.loads((folder / "config.json").read_text())["shorter"]
    assert "of any length up to 8 tokens" in (folder / "README.md").read_text(encoding="utf-8")
    session = onnxruntime.InferenceSession(folder / "student.onnx")
    archive = torch.export.load(folder / "student.pt2").module()
    for count, length in ((1, 1), (1, 8), (3, 2), (7, 5), (40, 8)):
        tokens = torch.randint(data.tokenizer.vocabulary, (count, length))
        mask = torch.arange(length) < torch.randint(1, length + 1, (count, 1))
        given = {"input_ids": tokens.numpy(), "attention_mask": mask.numpy()}
        with torch.no_grad():
            expected = student(tokens, mask)
            torch.testing.assert_close(archive(tokens, mask), expected, atol=1e-4, rtol=0)
        found = torch.from_numpy(session.run(None, given)[0])
        torch.testing.assert_close(found, expected, atol=1e-4, rtol=0)


class OneLength(TextEncoder):
    """An encoder that takes only texts of 8 tokens."""

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Map texts to logits."""
        return super().forward(input_ids.reshape(-1, 8), attention_mask)


class Loops(TextEncoder):
    """An encoder that loops over tokens, so that its exported programs have a fixed length."""

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Map texts to logits."""
        tokens = [input_ids[:, place] for place in range(input_ids.shape[1])]
        return super().forward(torch.stack(tokens, dim=1), attention_mask)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [OneLength, Loops])
def test_a_network_for_one_length_is_exported_with_that_length(
    data: TextData, student: TextEncoder, tmp_path: Path, kind: type[TextEncoder]
) -> None:
    student.__class__ = kind
    folder = tmp_path / "student"
    done = export(student, folder, data=data, onnx=False, pt2=True)
    assert set(done.forms) == {"source", "pt2"}
    assert "shorter" not in json.loads((folder / "config.json").read_text())
