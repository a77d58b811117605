"""Text teachers from folders written by `save_pretrained`."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from diswot.errors import DataError, DiswotError, NetworkError, OptionError, TeacherError
from diswot.methods.supernet import start_from
from diswot.networks.attention import check_attention, reading_last
from diswot.networks.costs import costs_of
from diswot.tasks import find_task
from diswot.tasks._tokenizer import trained_tokenizer
from diswot.tasks.text import TextData, load_texts
from tests.forked import run_programs
from tests.tasks.text.conftest import PAIRS, encoder_for

transformers = pytest.importorskip("transformers")

SIZES: dict[str, Any] = {
    "vocab_size": 300,
    "hidden_size": 12,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "intermediate_size": 24,
    "max_position_embeddings": 20,
    "pad_token_id": 0,
}
KINDS = ("Bert", "Electra", "Roberta", "XLMRoberta")


def saved(folder: Path, kind: str, head: str, **other: Any) -> Path:
    torch.manual_seed(0)
    sizes = SIZES | ({"embedding_size": 12} if kind == "Electra" else {}) | other
    config = getattr(transformers, f"{kind}Config")(**sizes)
    getattr(transformers, f"{kind}{head}")(config).save_pretrained(folder)
    tokenizer = trained_tokenizer([text for text, _ in PAIRS], vocabulary=300)
    (folder / "tokenizer.json").write_text(tokenizer.content)
    return folder


def texts_for(folder: Path, root: Path, length: int = 8) -> TextData:
    return load_texts(PAIRS, root=root, length=length, tokenizer=folder)


@pytest.mark.parametrize("kind", KINDS)
def test_a_classifier_returns_the_outputs_of_transformers(
    kind: str, tmp_path: Path, root: Path
) -> None:
    folder = saved(tmp_path / "teacher", kind, "ForSequenceClassification", num_labels=2)
    data = texts_for(folder, root)
    teacher = find_task("text").find_teacher(f"hf:{folder}", data)
    assert teacher.weights is not None
    tokens, mask = data.inputs("train", torch.arange(3))
    original = transformers.AutoModelForSequenceClassification.from_pretrained(folder)
    with torch.no_grad():
        found = teacher.weights().eval()(tokens, mask)
        expected = original.eval()(tokens, attention_mask=mask.long()).logits
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("kind", KINDS)
def test_an_encoder_without_classifier_gets_an_untrained_one(
    kind: str, tmp_path: Path, root: Path
) -> None:
    folder = saved(tmp_path / "teacher", kind, "Model")
    data = texts_for(folder, root)
    teacher = find_task("text").find_teacher(f"hf:{folder}", data)
    assert teacher.weights is None
    one, other = teacher.initialized(0), teacher.initialized(1)
    state, another = one.state_dict(), other.state_dict()
    differ = [name for name in state if not torch.equal(state[name], another[name])]
    assert set(differ) <= {"classifier.weight", "classifier.bias"}
    assert one(*data.inputs("train", torch.arange(3))).shape == (3, 2)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("head", ["Model", "ForSequenceClassification"])
def test_costs_of_a_teacher_are_counted(kind: str, head: str, tmp_path: Path, root: Path) -> None:
    folder = saved(tmp_path / "teacher", kind, head)
    data = texts_for(folder, root)
    network = find_task("text").find_teacher(f"hf:{folder}", data).initialized(0)
    costs = costs_of(network, data.signature)
    assert costs.params == sum(each.numel() for each in network.parameters())
    attention, feed_forward = 4 * 12 * 12, 2 * 12 * 24
    assert costs.macs >= 2 * 8 * (attention + feed_forward) + 2 * 2 * 8 * 8 * 12


@pytest.mark.parametrize("kind", KINDS)
def test_a_supernet_starts_with_the_weights_of_its_teacher(
    kind: str, tmp_path: Path, root: Path
) -> None:
    folder = saved(tmp_path / "teacher", kind, "Model")
    data = texts_for(folder, root)
    teacher = find_task("text").find_teacher(f"hf:{folder}", data).initialized(0).eval()
    supernet = encoder_for(data, layers=2, hidden=12, heads=3, norm="last")
    start_from(supernet, teacher)
    tokens, mask = data.inputs("train", torch.arange(4))
    with torch.no_grad():
        with reading_last(supernet.eval()) as own:
            supernet(tokens, mask)
        with reading_last(teacher) as other:
            teacher(tokens, mask)
    torch.testing.assert_close(own[0].query[mask], other[0].query[mask], atol=1e-4, rtol=1e-4)
    check_attention(teacher)


def test_narrow_embeddings_are_projected_to_the_hidden_size(tmp_path: Path, root: Path) -> None:
    folder = saved(tmp_path / "teacher", "Electra", "Model", embedding_size=8)
    data = texts_for(folder, root)
    teacher = find_task("text").find_teacher(f"hf:{folder}", data).initialized(0).eval()
    supernet = encoder_for(data, layers=2, hidden=12, heads=3, norm="last")
    norm = supernet.get_parameter("norm.weight").detach().clone()
    start_from(supernet, teacher)
    state = {name.removeprefix("body."): value for name, value in teacher.state_dict().items()}
    weight, bias = (state[f"embeddings_project.{name}"] for name in ("weight", "bias"))
    words = state["embeddings.word_embeddings.weight"] @ weight.T
    torch.testing.assert_close(supernet.get_parameter("tokens.weight").detach(), words)
    segment = state["embeddings.token_type_embeddings.weight"][0]
    positions = (state["embeddings.position_embeddings.weight"][:8] + segment) @ weight.T + bias
    torch.testing.assert_close(supernet.get_parameter("positions.weight").detach(), positions)
    assert torch.equal(supernet.get_parameter("norm.weight").detach(), norm)


def refusal(folder: Path, data: TextData) -> DiswotError:
    with pytest.raises(DiswotError) as refused:
        find_task("text").find_teacher(f"hf:{folder}", data)
    assert "\n" not in str(refused.value)
    return refused.value


def test_texts_with_another_tokenizer_are_refused(tmp_path: Path, root: Path) -> None:
    folder = saved(tmp_path / "teacher", "Bert", "Model")
    found = refusal(folder, load_texts(PAIRS, root=root, length=8, vocabulary=301))
    assert isinstance(found, DataError)
    assert f"give --tokenizer {folder}" in str(found)


def test_a_roberta_with_another_padding_id_is_refused(tmp_path: Path, root: Path) -> None:
    folder = saved(tmp_path / "teacher", "Roberta", "Model", pad_token_id=1)
    assert "pads texts with 0, the teacher with 1" in str(refusal(folder, texts_for(folder, root)))


def test_a_decoder_is_refused(tmp_path: Path, root: Path) -> None:
    folder = saved(tmp_path / "teacher", "Bert", "Model", is_decoder=True)
    found = refusal(folder, texts_for(folder, root))
    assert isinstance(found, TeacherError)
    assert "is not an encoder" in str(found)


def test_gpt_2_is_refused_as_a_decoder(tmp_path: Path, root: Path) -> None:
    folder = tmp_path / "teacher"
    sizes = {"vocab_size": 300, "n_embd": 12, "n_layer": 1, "n_head": 2, "n_positions": 20}
    transformers.GPT2Model(transformers.GPT2Config(**sizes)).save_pretrained(folder)
    tokenizer = trained_tokenizer([text for text, _ in PAIRS], vocabulary=300)
    (folder / "tokenizer.json").write_text(tokenizer.content)
    found = refusal(folder, texts_for(folder, root))
    assert isinstance(found, TeacherError)
    assert "is not an encoder, but gpt2" in str(found)


def test_an_encoder_without_classifier_has_teacher_epochs(tmp_path: Path) -> None:
    task = find_task("text")
    body = saved(tmp_path / "encoder", "Bert", "ForMaskedLM")
    classifier = saved(tmp_path / "classifier", "Bert", "ForSequenceClassification", num_labels=2)
    task.check_teacher(f"hf:{body}", teacher_epochs=2)
    with pytest.raises(OptionError, match="comes with weights: leave it out"):
        task.check_teacher(f"hf:{classifier}", teacher_epochs=2)
    with pytest.raises(TeacherError, match="has no trained weights"):
        task.check_teacher(f"hf:{body}", teacher_state="trained")


def test_texts_longer_than_the_position_embeddings_are_refused(tmp_path: Path, root: Path) -> None:
    folder = saved(tmp_path / "teacher", "Roberta", "Model")
    found = refusal(folder, texts_for(folder, root, length=20))
    assert isinstance(found, NetworkError)
    assert "--length 19 or less" in str(found)


def test_heads_that_do_not_divide_the_hidden_size_are_refused(tmp_path: Path, root: Path) -> None:
    folder = saved(tmp_path / "teacher", "Bert", "Model")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"num_attention_heads": 5}))
    found = refusal(folder, texts_for(folder, root))
    assert isinstance(found, TeacherError)
    assert "its 5 heads do not divide its hidden size 12" in str(found)


BROKEN = """
import sys
sys.path.insert(0, "installed")
from pathlib import Path
from diswot.errors import TeacherError
from diswot.tasks import find_task
from diswot.tasks.text import load_texts
pairs = [(f"a text {number}", number % 2) for number in range(30)]
data = load_texts(pairs, root="data", length=8, tokenizer="teacher")
try:
    find_task("text").find_teacher("hf:teacher", data)
except TeacherError as error:
    print(error)
"""


@pytest.mark.slow
@pytest.mark.processes
def test_a_torchvision_that_breaks_transformers_is_named(tmp_path: Path, root: Path) -> None:
    saved(tmp_path / "teacher", "Bert", "Model")
    package, described = (
        tmp_path / "installed" / name for name in ("torchvision", "torchvision-9.9.dist-info")
    )
    package.mkdir(parents=True)
    described.mkdir()
    (package / "__init__.py").write_text('raise RuntimeError("operator torchvision::nms is none")')
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: torchvision\nVersion: 9.9\n")
    (ended,) = run_programs([("-c", BROKEN)], imports="torch", folder=tmp_path)
    message = ended.out.decode().strip()
    assert len(message.splitlines()) == 1, ended.err
    assert "since the installed torchvision does not work (RuntimeError: operator" in message
    assert "pip uninstall torchvision" in message


def test_a_teacher_without_attention_is_refused(tmp_path: Path, root: Path) -> None:
    folder = tmp_path / "teacher"
    config = transformers.FNetConfig(
        vocab_size=300, hidden_size=12, num_hidden_layers=1, intermediate_size=24
    )
    transformers.FNetModel(config).save_pretrained(folder)
    tokenizer = trained_tokenizer([text for text, _ in PAIRS], vocabulary=300)
    (folder / "tokenizer.json").write_text(tokenizer.content)
    assert "exposes no attention" in str(refusal(folder, texts_for(folder, root)))


@pytest.mark.parametrize("content", ["", "{}", "[1]"])
def test_a_damaged_tokenizer_is_refused(content: str, tmp_path: Path, root: Path) -> None:
    (tmp_path / "tokenizer.json").write_text(content)
    with pytest.raises(DataError, match="cannot be read"):
        load_texts(PAIRS, root=root, tokenizer=tmp_path)
