"""Hugging Face image classifiers from folders written by `save_pretrained`."""

import copy
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import diswot
from diswot.errors import DiswotError, NetworkError, TeacherError
from diswot.networks import ActivationReader
from diswot.tasks.images import ImageSpec, load_data
from diswot.tasks.images.teachers import AsTrained, find_teacher
from diswot.teachers import Teacher
from tests.cli.conftest import Hostile, only_line
from tests.conftest import CommandLine

transformers: Any = pytest.importorskip("transformers", reason="the extra hf is not installed")

CLASSES = ("ant", "bee", "cat", "dog", "elk")
SPEC = ImageSpec((3, 32, 32), 5, (0.5, 0.4, 0.45), (0.2, 0.25, 0.22), 255.0)
DIGITS = ImageSpec((1, 16, 16), 10, (0.3,), (0.4,), 16.0)
_TRANSFORMER = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "image_size": 32,
    "patch_size": 8,
}


def _resnet(**others: Any) -> nn.Module:
    config = transformers.ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic", **others
    )
    network: nn.Module = transformers.ResNetForImageClassification(config)
    return network


def _vit(**others: Any) -> nn.Module:
    network: nn.Module = transformers.ViTForImageClassification(
        transformers.ViTConfig(**_TRANSFORMER, **others)
    )
    return network


def _deit(**others: Any) -> nn.Module:
    network: nn.Module = transformers.DeiTForImageClassificationWithTeacher(
        transformers.DeiTConfig(**_TRANSFORMER, **others)
    )
    return network


def _convnext(**others: Any) -> nn.Module:
    config = transformers.ConvNextConfig(
        hidden_sizes=[8, 16], depths=[1, 1], num_stages=2, **others
    )
    network: nn.Module = transformers.ConvNextForImageClassification(config)
    return network


def _mobilenet(**others: Any) -> nn.Module:
    config = transformers.MobileNetV2Config(depth_multiplier=0.1, min_depth=4, **others)
    network: nn.Module = transformers.MobileNetV2ForImageClassification(config)
    return network


def _swin(**others: Any) -> nn.Module:
    windows = {"image_size": 32, "patch_size": 4, "window_size": 4}
    config = transformers.SwinConfig(
        **windows, embed_dim=8, depths=[1, 1], num_heads=[1, 2], **others
    )
    network: nn.Module = transformers.SwinForImageClassification(config)
    return network


def _processor(name: str, **settings: Any) -> Callable[[], Any]:
    return lambda: getattr(transformers, f"{name}ImageProcessor")(**settings)


_SQUARE = {"height": 32, "width": 32}
_LARGER = {"height": 36, "width": 36}
_CROPPED = {"size": {"shortest_edge": 40}, "crop_size": _SQUARE}

MODELS: dict[str, tuple[Callable[..., nn.Module], Callable[[], Any], tuple[int, int]]] = {
    "resnet": (_resnet, _processor("ConvNext", size={"shortest_edge": 28}), (4, 4)),
    "vit": (_vit, _processor("ViT", size=_SQUARE), (4, 4)),
    "deit": (_deit, _processor("DeiT", size=_LARGER, crop_size=_SQUARE), (4, 4)),
    "convnext": (_convnext, _processor("ConvNext", size={"shortest_edge": 40}), (5, 5)),
    "mobilenet": (_mobilenet, _processor("MobileNetV2", **_CROPPED), (2, 2)),
    "swin": (_swin, _processor("ViT", size=_SQUARE), (4, 4)),
}
"""Network, image processor and resolution of the last map."""


def saved(
    folder: Path, make: Callable[..., nn.Module], processor: Any = None, **others: Any
) -> nn.Module:
    """Write a network with `save_pretrained`, and return it."""
    torch.manual_seed(0)
    network: Any = make(**{"num_labels": 5, **others}).eval()
    network.save_pretrained(folder)
    if processor is not None:
        processor.save_pretrained(folder)
    result: nn.Module = network
    return result


def photographs(count: int = 2) -> Tensor:
    """Pixels (count, 3, 32, 32) of smooth images, uint8."""
    coarse = torch.rand(count, 3, 5, 5, generator=torch.Generator().manual_seed(1))
    fine = nn.functional.interpolate(coarse, 32, mode="bilinear", align_corners=True)
    return (40 + 170 * fine).round().byte()


def as_students_see(images: Tensor) -> Tensor:
    mean, std = (torch.tensor(values).view(-1, 1, 1) for values in (SPEC.mean, SPEC.std))
    return (images / 255 - mean) / std


def trained(teacher: Teacher) -> AsTrained:
    assert teacher.weights is not None
    network = teacher.weights()
    assert isinstance(network, AsTrained)
    return network.eval()


@torch.no_grad()
def logits(network: Any, images: Tensor) -> Tensor:
    output = network(images)
    result: Tensor = output if isinstance(output, Tensor) else output.logits
    return result


@pytest.mark.parametrize("kind", MODELS)
def test_outputs_equal_those_behind_its_own_processor(tmp_path: Path, kind: str) -> None:
    make, processor_of, _ = MODELS[kind]
    processor = processor_of()
    network = saved(tmp_path, make, processor)
    images = photographs()
    arrays = [np.asarray(image.permute(1, 2, 0)) for image in images]
    expected = logits(network, processor(arrays, return_tensors="pt")["pixel_values"])
    teacher = trained(find_teacher(f"hf:{tmp_path}", SPEC))
    torch.testing.assert_close(
        logits(teacher, as_students_see(images)), expected, atol=5e-3, rtol=5e-2
    )


@pytest.mark.slow
@pytest.mark.parametrize("kind", MODELS)
def test_a_network_can_be_read_copied_and_reinitialized(tmp_path: Path, kind: str) -> None:
    make, processor_of, resolution = MODELS[kind]
    saved(tmp_path, make, processor_of())
    teacher = find_teacher(f"hf:{tmp_path}", SPEC)
    images, network = as_students_see(photographs()), trained(teacher)
    with torch.no_grad(), ActivationReader(network) as read:
        activations = read(images)
    torch.testing.assert_close(activations.output, logits(network, images))
    assert activations.resolution == resolution
    assert not teacher.notes
    sent = pickle.loads(pickle.dumps(teacher))
    for copied in (copy.deepcopy(network), trained(sent)):
        assert torch.equal(logits(copied, images), activations.output)
    fresh, again = (each.initialized(1).eval() for each in (teacher, sent))
    assert torch.equal(logits(fresh, images), logits(again, images))
    assert not torch.equal(logits(fresh, images), activations.output)
    assert teacher.digest() == find_teacher(f"hf:{tmp_path}", SPEC).digest()


@pytest.mark.parametrize("make", [_resnet, _vit])
def test_without_a_processor_images_are_passed_unchanged(
    tmp_path: Path, make: Callable[..., nn.Module]
) -> None:
    network = saved(tmp_path, make)
    teacher = find_teacher(f"hf:{tmp_path}", SPEC)
    images = as_students_see(photographs())
    torch.testing.assert_close(logits(trained(teacher), images), logits(network, images))
    (note,) = teacher.notes
    assert "no preprocessor_config.json" in note
    assert "32×32" in note


def test_without_a_processor_the_config_gives_the_image_size(
    tmp_path: Path,
) -> None:
    saved(tmp_path, _vit, num_labels=10)
    network = trained(find_teacher(f"hf:{tmp_path}", DIGITS))
    assert network.as_trained(torch.zeros(2, 1, 16, 16)).shape == (2, 3, 32, 32)


def test_gray_images_are_preprocessed_as_by_its_processor(tmp_path: Path) -> None:
    processor = transformers.ViTImageProcessor(size=_SQUARE, image_mean=[0.2], image_std=[0.3])
    network = saved(tmp_path, _vit, processor, num_labels=10, num_channels=1)
    pixels = photographs()[:, :1]
    arrays = [np.asarray(image.permute(1, 2, 0)) for image in pixels]
    given = processor(arrays, return_tensors="pt", input_data_format="channels_last")
    spec = ImageSpec((1, 32, 32), 10, (0.3,), (0.4,), 255.0)
    teacher = trained(find_teacher(f"hf:{tmp_path}", spec))
    seen = logits(teacher, (pixels / 255 - 0.3) / 0.4)
    torch.testing.assert_close(seen, logits(network, given["pixel_values"]), atol=1e-4, rtol=1e-3)


def test_finding_a_teacher_does_not_change_the_random_state(tmp_path: Path) -> None:
    saved(tmp_path, _deit)
    before = torch.get_rng_state()
    find_teacher(f"hf:{tmp_path}", SPEC)
    assert torch.equal(torch.get_rng_state(), before)


def named(order: tuple[str, ...]) -> dict[str, Any]:
    return {
        "id2label": dict(enumerate(order)),
        "label2id": {name: number for number, name in enumerate(order)},
    }


@pytest.mark.parametrize("make", [_resnet, _vit, _deit])
def test_outputs_of_equally_named_classes_are_reordered(
    tmp_path: Path, make: Callable[..., nn.Module]
) -> None:
    order = ("dog", "ant", "elk", "cat", "bee")
    network = saved(tmp_path, make, **named(order))
    images = as_students_see(photographs())
    teacher = find_teacher(f"hf:{tmp_path}", SPEC, classes=CLASSES)
    expected = logits(network, images)[:, [order.index(name) for name in CLASSES]]
    torch.testing.assert_close(logits(trained(teacher), images), expected)
    assert any("put in the order of the data's" in note for note in teacher.notes)


@pytest.mark.parametrize(
    ("order", "words"),
    [
        (CLASSES, None),
        (("Ameise", "Biene", "Katze", "Hund", "Elch"), "do not match those of the data"),
        (tuple(f"LABEL_{number}" for number in range(5)), "order of the data's classes, ant, bee"),
    ],
    ids=["same order", "other names", "no names"],
)
def test_outputs_of_other_classes_keep_their_order(
    tmp_path: Path, order: tuple[str, ...], words: str | None
) -> None:
    network = saved(tmp_path, _resnet, **named(order))
    images = as_students_see(photographs())
    teacher = find_teacher(f"hf:{tmp_path}", SPEC, classes=CLASSES)
    torch.testing.assert_close(logits(trained(teacher), images), logits(network, images))
    assert [note for note in teacher.notes if "classes" in note or "called" in note] == (
        [] if words is None else [note for note in teacher.notes if words in note]
    )
    assert (words is None) == (len(teacher.notes) == 1)


def test_a_teacher_with_other_classes_is_refused(tmp_path: Path) -> None:
    saved(tmp_path, _resnet, num_labels=1000)
    with pytest.raises(NetworkError, match="has 1000 classes, but the data has 5"):
        find_teacher(f"hf:{tmp_path}", SPEC)


def test_a_teacher_that_does_not_fit_is_a_one_line_error(cli: CommandLine, tmp_path: Path) -> None:
    saved(tmp_path / "teacher", _resnet, num_labels=20)
    line = only_line(cli("score", "1-1-1", "--teacher", f"hf:{tmp_path / 'teacher'}"))
    assert "has 20 classes, but the data has 10" in line


@pytest.mark.parametrize("state", ["random", "trained"])
def test_students_are_scored_against_it(cli: CommandLine, tmp_path: Path, state: str) -> None:
    saved(tmp_path / "teacher", _vit, num_labels=10)
    done = cli(
        *("score", "1-1-1", "--teacher", f"hf:{tmp_path / 'teacher'}", "--data", "digits"),
        *("--repeats", "1", "--batch-size", "8", "--teacher-state", state),
    )
    assert done.code == 0, done.err
    # preprocessing is reported only if the weights are used
    assert ("no preprocessor_config.json" in done.err) == (state == "trained")


def test_a_teacher_with_tiny_feature_maps_is_scored(tmp_path: Path) -> None:
    saved(tmp_path, _mobilenet, num_labels=10, image_size=32)  # random, so each layer shrinks them
    teacher, data = f"hf:{tmp_path}", load_data("digits")
    options: Any = {"teacher_state": "trained", "repeats": 1, "batch_size": 8}
    (one,) = diswot.score(["1-1-1"], teacher, data=data, scorer="relation", **options)
    assert one.score is not None
    assert -2 < one.score < 0


def test_a_teacher_with_zero_feature_maps_is_named_as_the_cause() -> None:
    network = _resnet(num_labels=10, num_channels=1)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.zeros_(module.weight)
    options: Any = {"teacher_state": "trained", "repeats": 1, "batch_size": 8}
    (one,) = diswot.score(["1-1-1"], network.eval(), scorer="relation", **options)
    words = "relation is nan in repeat 0 (the teacher's last feature map is zero everywhere)"
    assert words in str(one.failure)


def test_a_given_network_is_reinitialized_from_its_config() -> None:
    network = _vit(num_labels=10, num_channels=1)
    data = load_data("digits")
    teacher = AsTrained(network, data.spec, size=32)
    (candidate,) = diswot.score(["1-1-1"], teacher, data=data, repeats=1, batch_size=8)
    assert candidate.failure is None


def unsafe(folder: Path, content: Any) -> None:
    (folder / "model.safetensors").unlink()
    torch.save(content, folder / "pytorch_model.bin")


def test_pickled_weights_are_read_without_executing_code(tmp_path: Path) -> None:
    network = saved(tmp_path, _resnet)
    unsafe(tmp_path, network.state_dict())
    images = as_students_see(photographs())
    teacher = trained(find_teacher(f"hf:{tmp_path}", SPEC))
    torch.testing.assert_close(logits(teacher, images), logits(network, images))


def test_code_in_weights_is_not_executed(tmp_path: Path) -> None:
    saved(tmp_path, _resnet)
    marker = tmp_path / "marker"
    unsafe(tmp_path, {"hostile": Hostile(marker)})
    with pytest.raises(TeacherError, match="cannot be loaded"):
        find_teacher(f"hf:{tmp_path}", SPEC)
    assert not marker.exists()


def test_code_in_a_folder_is_not_executed(tmp_path: Path) -> None:
    saved(tmp_path, _resnet)
    marker = tmp_path / "marker"
    (tmp_path / "own.py").write_text(f"import os; os.mkdir({str(marker)!r})\n")
    config = json.loads((tmp_path / "config.json").read_text())
    config |= {
        "model_type": "own",
        "auto_map": {"AutoConfig": "own.Own", "AutoModelForImageClassification": "own.Own"},
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(TeacherError, match="cannot be loaded") as raised:
        find_teacher(f"hf:{tmp_path}", SPEC)
    assert "\n" not in str(raised.value)
    assert not marker.exists()


def without_classifier(folder: Path) -> None:
    transformers.ViTModel(transformers.ViTConfig(**_TRANSFORMER)).save_pretrained(folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | named(CLASSES)))


def of_text(folder: Path) -> None:
    config = transformers.BertConfig(
        hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8, vocab_size=9
    )
    transformers.BertForMaskedLM(config).save_pretrained(folder)


def cut_short(folder: Path) -> None:
    saved(folder, _resnet)
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-50])


def without_weights(folder: Path) -> None:
    saved(folder, _resnet)
    (folder / "model.safetensors").unlink()


def that_swaps_channels(folder: Path) -> None:
    saved(folder, _resnet, transformers.MobileViTImageProcessor(**_CROPPED))


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (without_classifier, "has no weights for classifier"),
        (of_text, "cannot be loaded"),
        (cut_short, "cannot be loaded"),
        (without_weights, "cannot be loaded"),
        (lambda folder: folder.mkdir(), "cannot be loaded"),
        (lambda folder: None, "there is no folder"),
        (that_swaps_channels, "does more than resize"),
    ],
    ids=["backbone", "text", "damaged", "no weights", "empty", "missing", "other processor"],
)
def test_a_folder_without_image_classifier_is_a_one_line_error(
    tmp_path: Path, write: Callable[[Path], Any], words: str
) -> None:
    folder = tmp_path / "teacher"
    write(folder)
    with pytest.raises(DiswotError, match=words) as raised:
        find_teacher(f"hf:{folder}", SPEC)
    assert "\n" not in str(raised.value)
    assert str(folder) in str(raised.value)


def test_an_unreachable_id_is_a_one_line_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(TeacherError, match="cannot be reached: run `hf download") as raised:
        find_teacher("hf:nobody/has-such-a-network", SPEC)
    assert "\n" not in str(raised.value)
    assert capfd.readouterr().err == ""
