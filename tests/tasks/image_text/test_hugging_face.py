"""Dual encoders of transformers, from tiny folders that `save_pretrained` wrote."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import diswot
from diswot.errors import TeacherError
from diswot.tasks import find_task
from diswot.tasks.image_text import ImageTextData
from tests.tasks.image_text.squares import ENGLISH

transformers = pytest.importorskip("transformers")

TEXT: dict[str, Any] = {
    "vocab_size": 300,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "max_position_embeddings": 20,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
IMAGES: dict[str, Any] = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "image_size": 16,
    "patch_size": 8,
}
PROCESSOR = {
    "size": {"height": 16, "width": 16},
    "do_center_crop": False,
    "image_mean": [0.5, 0.4, 0.3],
    "image_std": [0.2, 0.3, 0.4],
}
KINDS = ("CLIP", "Siglip", "AltCLIP", "ChineseCLIP")
LONG = "a drawing of " + "very " * 30 + "red"


@pytest.fixture(scope="module", params=KINDS)
def folder(
    request: pytest.FixtureRequest, data: ImageTextData, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Write a dual encoder with random weights, its tokenizer and its image processor."""
    kind, path = request.param, tmp_path_factory.mktemp("teacher")
    torch.manual_seed(0)
    sizes = {} if kind == "Siglip" else {"projection_dim": 16}
    text = TEXT | ({"project_dim": 16} if kind == "AltCLIP" else {})
    config = getattr(transformers, f"{kind}Config")(text_config=text, vision_config=IMAGES, **sizes)
    getattr(transformers, f"{kind}Model")(config).save_pretrained(path)
    (path / "tokenizer.source").write_text(data.tokenizer.content)
    transformers.PreTrainedTokenizerFast(
        tokenizer_file=str(path / "tokenizer.source"),
        pad_token="[PAD]",
        model_max_length=20,
    ).save_pretrained(path)
    transformers.CLIPImageProcessor(**PROCESSOR).save_pretrained(path)
    return path


def test_embeddings_are_those_of_transformers(folder: Path, data: ImageTextData) -> None:
    wide = replace(data, embedding=16)
    found = find_task("image-text").find_teacher(f"hf:{folder}", wide)
    assert found.weights is not None
    encoder: Any = found.weights().eval()
    network = transformers.AutoModel.from_pretrained(folder).eval()
    pixels = torch.full((1, 3, 8, 8), 51.0)  # a constant image, whatever the interpolation
    mean, std = (torch.tensor(wide.pixels[name]).view(-1, 1, 1) for name in ("mean", "std"))
    processed = transformers.AutoImageProcessor.from_pretrained(folder)(
        pixels[0].byte(), return_tensors="pt"
    )
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    siglip = network.config.model_type == "siglip"
    padding = {"padding": "max_length" if siglip else True, "truncation": True}
    tokens = tokenizer([*ENGLISH[:3], LONG], max_length=encoder._length, **padding)
    names = ("input_ids",) if siglip else ("input_ids", "attention_mask")
    with torch.no_grad():
        images = encoder(((pixels / 255 - mean) / std).float())
        expected = network.get_image_features(processed["pixel_values"])
        texts = encoder.embed_texts([*ENGLISH[:3], LONG])
        same = network.get_text_features(**{name: torch.tensor(tokens[name]) for name in names})
    torch.testing.assert_close(images, expected.pooler_output, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(texts, same.pooler_output)
    assert encoder.cut([*ENGLISH[:3], LONG]) == 1


def test_a_student_is_distilled_from_a_folder(folder: Path, data: ImageTextData) -> None:
    student = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(288, 16))
    wide = replace(data, embedding=16)
    report = diswot.distill(
        student, f"hf:{folder}", data=wide, loss="vlm-ood", epochs=1, force=True
    )
    assert report.test.n == 32
    assert report.history[-1].terms["embedding_mse"] <= 4


def test_embeddings_of_another_length_name_the_option(folder: Path, data: ImageTextData) -> None:
    with pytest.raises(TeacherError, match=r"16 numbers, but .* have 8: give --embedding 16"):
        find_task("image-text").find_teacher(f"hf:{folder}", data)


def test_folders_of_other_networks_are_refused(tmp_path: Path) -> None:
    transformers.BertConfig(**TEXT).save_pretrained(tmp_path)
    with pytest.raises(TeacherError, match="is bert, which does not embed both images and texts"):
        find_task("image-text").check_teacher(f"hf:{tmp_path}")
