"""Texts as a dataset of a task: tokens, masks, metrics."""

import json
import sys
from pathlib import Path

import pytest
import torch

from diswot.errors import MissingExtraError, OptionError
from diswot.tasks import find_task
from diswot.tasks.text import TextData, load_texts
from diswot.testing import check_task
from tests.tasks.text.conftest import PAIRS


def test_texts_follow_the_contract_of_tasks(data: TextData) -> None:
    check_task(data)


def test_the_embedded_texts_have_their_size_and_license(root: Path) -> None:
    data = find_task("text").load("python-docs", root=root)
    assert [data.size(split) for split in ("train", "val", "test")] == [3299, 517, 877]
    assert data.signature.outputs == 12
    embedded = Path(sys.modules["diswot.tasks.text"].__file__ or "").parent / "embedded"
    manifest = json.loads((embedded / "python-docs.manifest.json").read_text(encoding="utf-8"))
    assert "PSF License" in manifest["license"]
    assert "PYTHON SOFTWARE FOUNDATION LICENSE" in (embedded / "PYTHON-LICENSE.txt").read_text()


def test_the_mask_covers_a_text_and_its_ends(data: TextData) -> None:
    (tokens, mask), *_ = (data.batch("train", torch.arange(22)).inputs,)
    assert torch.equal(tokens != 0, mask)
    assert (tokens[:, 0] == 1).all()
    assert ((tokens == 2).sum(dim=1) == 1).all()


def test_exported_tokenizers_truncate_and_pad_equally(root: Path) -> None:
    from tokenizers import Tokenizer

    data = load_texts({"train": PAIRS, "val": PAIRS, "test": PAIRS}, root=root, length=8)
    assert any("texts truncated to 8 tokens" in note for note in data.notes)
    exported = Tokenizer.from_str(data.tokenizer.fixed(8))
    found = [exported.encode(text) for text, _ in PAIRS]
    tokens, mask = data.batch("test", torch.arange(30)).inputs
    assert tokens.tolist() == [each.ids for each in found]
    assert mask.long().tolist() == [each.attention_mask for each in found]


def test_every_text_can_be_encoded(data: TextData) -> None:
    tokens = data.tokenizer.encode("Ω ☃ \0 日本")
    assert 0 < max(tokens) < data.tokenizer.vocabulary


def test_a_tokenizer_is_trained_once(root: Path) -> None:
    first = load_texts(PAIRS, root=root)
    (kept,) = (root / "tokenizers").iterdir()
    before = kept.stat().st_mtime_ns
    assert load_texts(PAIRS, root=root).digest == first.digest
    assert kept.stat().st_mtime_ns == before


@pytest.mark.parametrize("content", ["", "{}", "[1", '{"version": "1.0"}'])
def test_a_damaged_tokenizer_is_trained_again(content: str, root: Path) -> None:
    first = load_texts(PAIRS, root=root)
    (kept,) = (root / "tokenizers").iterdir()
    kept.write_text(content)
    assert load_texts(PAIRS, root=root).digest == first.digest
    assert kept.read_text() == first.tokenizer.content


def test_without_tokenizers_the_error_names_the_extra(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(MissingExtraError) as missing:
        load_texts(PAIRS, root=root)
    assert str(missing.value) == (
        "the tokenizer of texts needs tokenizers, which is not installed: pip install "
        "'diswot[text]'"
    )


def test_labels_are_smoothed_in_training(data: TextData) -> None:
    from diswot.training import Recipe

    batch = data.training(Recipe(1, label_smoothing=0.2))(torch.arange(4))
    assert batch.targets.sum(dim=1).tolist() == pytest.approx([1] * 4)
    assert batch.targets.max(dim=1).values.tolist() == pytest.approx([0.9] * 4)


def test_tokens_are_masked_in_training(data: TextData) -> None:
    from diswot.training import Recipe

    whole = data.batch("train", torch.arange(22)).inputs[0]
    unchanged = data.training(Recipe(1, augment="none"))(torch.arange(22)).inputs[0]
    assert torch.equal(unchanged, whole)
    torch.manual_seed(0)
    changed = data.training(Recipe(1, augment="strong"))(torch.arange(22)).inputs[0]
    assert set(changed[changed != whole].tolist()) == {3}
    assert torch.equal(changed[whole < 4], whole[whole < 4])
    assert 0.1 < float((changed != whole)[whole > 3].float().mean()) < 0.5


def test_tokenizer_options_of_tokenized_texts_are_refused(data: TextData) -> None:
    assert load_texts(data) is load_texts(data, length=8) is data
    with pytest.raises(OptionError, match="leave length 16 out"):
        load_texts(data, length=16)
    with pytest.raises(OptionError, match="leave vocabulary 500 out"):
        load_texts(data, vocabulary=500)


def test_built_in_teachers_take_texts(data: TextData) -> None:
    for name in ("encoder-medium", "encoder-large"):
        network = data.task.find_teacher(name, data).initialized(0)
        assert network(*data.batch("val", torch.arange(2)).inputs).shape == (2, 2)


def test_the_recorded_source_loads_the_same_texts(root: Path) -> None:
    path = root / "texts.csv"
    path.write_text("text,label\n" + "".join(f"{text},{label}\n" for text, label in PAIRS))
    data = load_texts(path, root=root, length=8)
    assert data.source is not None
    again = load_texts(data.source.data, root=data.source.root, **data.source.options)
    assert again.digest == data.digest
