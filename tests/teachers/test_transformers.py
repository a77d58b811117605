"""Hugging Face classifiers of any type."""

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from diswot.errors import NetworkError, TeacherError
from diswot.teachers import transformers_source

transformers = pytest.importorskip("transformers")

HEAD = "AutoModelForSequenceClassification"
TOKENS = torch.tensor([[1, 2, 3, 4], [4, 3, 2, 1]])


def saved(folder: Path) -> nn.Module:
    """Save and return a text classifier with three classes."""
    config = transformers.BertConfig(
        vocab_size=20,
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=8,
        id2label={0: "bad", 1: "good", 2: "neither"},
    )
    network: nn.Module = transformers.BertForSequenceClassification(config)
    network.save_pretrained(folder)  # type: ignore[operator]
    return network.eval()


def logits(network: nn.Module) -> Tensor:
    with torch.no_grad():
        return network.eval()(TOKENS).logits  # type: ignore[no-any-return]


def test_a_classifier_of_texts_is_loaded_with_its_classes(tmp_path: Path) -> None:
    expected = logits(saved(tmp_path))
    with transformers_source(str(tmp_path)) as source:
        found = source.classifier(HEAD, classes=3)
    assert source.local
    assert found.names == ("bad", "good", "neither")
    torch.testing.assert_close(logits(found.network), expected)
    assert not torch.allclose(logits(found.fresh()), expected)


def test_the_adapter_is_also_applied_to_fresh_networks(tmp_path: Path) -> None:
    saved(tmp_path)
    with transformers_source(str(tmp_path)) as source:
        found = source.classifier(HEAD, classes=3, adapt=nn.Sequential)
    assert isinstance(found.network, nn.Sequential)
    assert isinstance(found.fresh(), nn.Sequential)


def test_other_classes_are_refused_before_weights_are_read(tmp_path: Path) -> None:
    saved(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"")
    with (
        pytest.raises(NetworkError, match="has 3 classes, but the data has 2"),
        transformers_source(str(tmp_path)) as source,
    ):
        source.classifier(HEAD, classes=2)


def test_a_network_with_another_head_is_not_a_trained_classifier(tmp_path: Path) -> None:
    saved(tmp_path)
    bare = transformers.BertModel.from_pretrained(tmp_path)
    bare.save_pretrained(tmp_path)
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "architectures": ["BertModel"]}))
    with (
        pytest.raises(TeacherError, match=r"teacher hf:.* has no weights for classifier\.bias"),
        transformers_source(str(tmp_path)) as source,
    ):
        source.classifier(HEAD, classes=3)
