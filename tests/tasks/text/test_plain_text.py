"""Plain text without labels, and labels that are missing where they are needed."""

from pathlib import Path

import pytest
import torch

from diswot.errors import DataError
from diswot.tasks import find_task
from diswot.tasks.text import TextData, with_plain_text
from diswot.training import prepare_distillation
from tests.tasks.text.conftest import PAIRS


def test_plain_text_becomes_full_sequences(data: TextData, tmp_path: Path) -> None:
    lines = [text for text, _ in PAIRS]
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "a.txt").write_text("\n".join(lines[:15]), encoding="utf-8")
    (tmp_path / "corpus" / "b.txt").write_text("\n\n".join(lines[15:]), encoding="utf-8")
    found = with_plain_text(data, tmp_path / "corpus")
    expected = [token for line in lines for token in data.tokenizer.encode(line)[1:-1]]
    rows = found.train.tokens
    assert rows[:, 1:-1].flatten().tolist() == expected[: len(rows) * 6]
    assert len(expected) - rows[:, 1:-1].numel() < 6
    assert (rows[:, 0] == 1).all()
    assert (rows[:, -1] == 2).all()
    assert found.inputs("train", torch.arange(len(rows)))[1].all()
    assert torch.equal(found.val.tokens, data.val.tokens)
    assert found.digest != data.digest


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"x", r"a\.txt is shorter than one sequence: it has \d tokens, and a sequence 6"),
        (b"", "it has 0 tokens"),
        (b"fine\nbad \xff", r"a\.txt, line 2: this is not text in UTF-8"),
    ],
)
def test_invalid_plain_text_is_refused(
    content: bytes, message: str, data: TextData, tmp_path: Path
) -> None:
    place = tmp_path / "a.txt"
    place.write_bytes(content)
    with pytest.raises(DataError, match=message) as refused:
        with_plain_text(data, place)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ["none.txt", "empty"])
def test_missing_plain_text_is_refused(name: str, data: TextData, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="there is no text at"):
        with_plain_text(data, tmp_path / name)


def test_fine_tuning_on_texts_without_labels_is_refused(data: TextData, root: Path) -> None:
    with pytest.raises(DataError, match="has no labels, by which students are fine-tuned"):
        find_task("text").prepared(data.without_labels(), {})
    with pytest.raises(DataError, match="give texts with labels"):
        prepare_distillation(None, data=data.masked(), data_root=root, epochs=1)
