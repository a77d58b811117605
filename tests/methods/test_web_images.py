"""Distillation on pools of unlabeled images: selection, contrast, shared classifiers, pools."""

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from diswot.errors import DataError, NetworkError, OptionError, UnknownNameError
from diswot.losses import disagreement_weights, kd3_loss, parse_objective
from diswot.methods import find_method
from diswot.methods.web_images import (
    SELECTIONS,
    WebImagesMethod,
    class_thresholds,
    contrast_loss,
    mix_distribution,
    select,
    teacher_share,
)
from diswot.methods.web_images._contrast import Embedding
from diswot.networks.shared_classifier import read_classifier, share_classifier
from diswot.options import filled
from diswot.tasks import Dataset, find_task
from diswot.tasks.images import (
    ImageData,
    Split,
    check_pool,
    load_data,
    mixed_digits,
    with_pool,
)
from diswot.testing import check_method
from diswot.training import Recipe, train_by
from search_spaces import ThinSpace
from tests.conftest import CommandLine

METHOD = find_method("web-images")
SPACE = ThinSpace(in_channels=1)
ARCH = SPACE.from_string(
    "stem=3,expansion=1,width1=4,depth1=1,kernel1=3,width2=8,depth2=1,kernel2=3"
)


def teacher_network() -> nn.Sequential:
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(1, 6, 3, padding=1),
        nn.BatchNorm2d(6),
        nn.ReLU(),
        nn.Conv2d(6, 12, 3, stride=4, padding=1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(12, 10),
    )
    return network.requires_grad_(False)


def options_of(**other: Any) -> Mapping[str, Any]:
    return filled(METHOD.options, {"images_per_epoch": 24, "selection_threshold": 0.1, **other})


def small_pool(data: Dataset) -> ImageData:
    whole = with_pool(cast(ImageData, data), "mixed-digits")
    return replace(whole, train=whole.train.take(torch.arange(0, len(whole.train), 16)))


def method_of(data: ImageData, **other: Any) -> WebImagesMethod:
    """Return the method for a small student; its teacher is random, so the threshold is low."""
    options, teacher = options_of(**other), teacher_network()
    torch.manual_seed(1)
    student = SPACE.network(ARCH, data.signature)
    if options["share_classifier"]:
        shape, weights = read_classifier(teacher, *data.signature.example(2))
        share_classifier(student, shape, data.signature, weights=weights)
    (loss,) = METHOD.losses(data.task, options)
    return WebImagesMethod(
        student,
        parse_objective(loss),
        teachers={"teacher": teacher},
        options=options,
        with_pool=small_pool,
    )


@pytest.fixture(scope="module")
def digits() -> ImageData:
    data = load_data("digits")
    few = torch.arange(24)
    return replace(data, train=data.train.take(few), val=data.val.take(few))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for number in range(12):
        pixels = rng.integers(0, 256, (20, 24, 3), dtype=np.uint8)
        place = tmp_path / "pool" / f"part{number % 2}"
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(place / f"{number}.png")
    return tmp_path / "pool"


def test_the_teachers_share_falls_as_in_the_paper() -> None:
    expected = {1: 0.992, 20: 0.977, 40: 0.937, 60: 0.853, 80: 0.705, 100: 0.493, 119: 0.268}
    for epoch, share in {**expected, 120: 0, 180: 0, 239: 0}.items():
        assert teacher_share(epoch, 240) == pytest.approx(share, abs=6e-4)
        assert teacher_share(epoch, 240) == teacher_share(10 * epoch, 2400)


def test_the_images_above_their_class_threshold_are_selected() -> None:
    torch.manual_seed(0)
    student, teacher, share, threshold = torch.randn(40, 4), torch.randn(40, 4), 0.3, 0.6
    mixed = share * teacher + (1 - share) * student
    found, rows = select(mixed, threshold=threshold), mixed.tolist()
    powers = [[math.exp(value) for value in row] for row in rows]
    probabilities = [[value / sum(row) for value in row] for row in powers]
    classes = [max(range(4), key=row.__getitem__) for row in probabilities]
    counts = [classes.count(label) for label in range(4)]
    balance = [count / max(counts) for count in counts]
    limits = [threshold * b / (2 - b) for b in balance]
    kept = [row[c] > limits[c] for row, c in zip(probabilities, classes, strict=True)]
    assert found.kept.tolist() == kept
    assert found.classes.tolist() == classes
    assert 0 < sum(kept) < 40


def test_thresholds_have_limits() -> None:
    assert class_thresholds(torch.tensor([0, 0, 7]), 0.9).tolist() == pytest.approx([0, 0, 0.9])


@pytest.mark.parametrize(
    ("selection", "epoch", "runs"),
    [
        ("dynamic", 0, {"teacher", "student"}),
        ("dynamic", 2, {"student"}),  # the second half of the training
        ("teacher", 0, {"teacher"}),
        ("student", 0, {"student"}),
    ],
)
def test_networks_select_by_their_share(
    selection: str, epoch: int, runs: set[str], digits: ImageData
) -> None:
    method, ran = method_of(digits, pool_selection=selection), set[str]()
    networks = {"teacher": method.teachers["teacher"], "student": method.student}
    method.setup(digits, "cpu")
    for name, network in networks.items():
        network.register_forward_hook(lambda *_, name=name: ran.add(name))
    batches = method.batches(digits, Recipe(4, augment="none"))
    method.start_epoch(epoch, 4, batches)
    assert ran == runs
    pool = small_pool(digits)
    images = pool.batch("train", torch.arange(pool.size("train"))).inputs[0]
    with torch.no_grad():
        teacher, student = (networks[name].eval()(images) for name in ("teacher", "student"))
    shares = {"dynamic": teacher_share(epoch, 4), "teacher": 1.0, "student": 0.0}
    share = shares[selection]
    expected = select(share * teacher + (1 - share) * student, threshold=0.1).kept
    assert torch.equal(method.kept, expected)


def test_mixing_is_the_identity_for_1_and_swaps_statistics_for_0() -> None:
    torch.manual_seed(0)
    images, partners = torch.randn(5, 3, 8, 8) * 3 + 1, torch.tensor([1, 2, 3, 4, 0])
    torch.testing.assert_close(mix_distribution(images, torch.ones(5), partners), images)
    swapped = mix_distribution(images, torch.zeros(5), partners)
    torch.testing.assert_close(swapped.mean((2, 3)), images[partners].mean((2, 3)))
    torch.testing.assert_close(swapped.std((2, 3)), images[partners].std((2, 3)))
    half = mix_distribution(images, torch.full((5,), 0.5), partners)
    middle = (images.mean((2, 3)) + images[partners].mean((2, 3))) / 2
    torch.testing.assert_close(half.mean((2, 3)), middle)


def test_the_contrast_is_the_one_of_the_equation() -> None:
    torch.manual_seed(0)
    one, other = (nn.functional.normalize(torch.randn(4, 6), dim=1) for _ in range(2))
    views, total = [*one, *other], 0.0
    for i in range(8):
        powers = {j: math.exp(float(views[i] @ views[j]) / 0.3) for j in range(8) if j != i}
        total -= math.log(powers[(i + 4) % 8] / sum(powers.values()))
    assert float(contrast_loss(one, other)) == pytest.approx(total / 8, rel=1e-5)


def test_the_weighted_alignment_is_the_one_of_the_equation() -> None:
    torch.manual_seed(0)
    ours, theirs = torch.randn(3, 10), torch.randn(3, 10)
    maps, targets = torch.randn(3, 2, 4, 4), torch.randn(3, 2, 4, 4)
    weights = disagreement_weights(ours, theirs)
    distances = [math.dist(s, t) for s, t in zip(ours.tolist(), theirs.tolist(), strict=True)]
    expected = [1 / (1 + math.exp(-distance)) for distance in distances]
    assert weights.tolist() == pytest.approx(expected)
    assert all(0.5 <= weight < 1 for weight in weights)
    total = sum(
        w * float((a - b).square().sum()) for w, a, b in zip(expected, maps, targets, strict=True)
    )
    assert float(kd3_loss(maps, targets, weights)) == pytest.approx(total / maps.numel(), rel=1e-5)


@pytest.mark.parametrize("selection", SELECTIONS)
def test_the_contract_of_methods_holds(selection: str, digits: ImageData) -> None:
    own = {"share_classifier": selection != "teacher", "contrast_weight": 0.5}
    check_method(lambda: method_of(digits, pool_selection=selection, **own), digits)


def test_the_shared_classifier_does_not_change(digits: ImageData) -> None:
    method = method_of(digits)
    before = {name: value.clone() for name, value in method.state_dict().items()}
    result = train_by(method, digits, recipe=Recipe(2, batch_size=8))
    teacher = teacher_network()[-1]
    student: nn.Linear = method.student[-1]  # type: ignore[index]
    assert torch.equal(student.weight, teacher.weight)  # type: ignore[arg-type]
    assert torch.equal(student.bias, teacher.bias)  # type: ignore[arg-type]
    changed = [
        n
        for n, v in method.student.named_parameters()
        if not torch.equal(before[f"student.{n}"], v)
    ]
    assert len(changed) == len(list(method.student.parameters())) - 2
    values = result.history[-1].values
    assert values["selected"] == pytest.approx(sum(values[f"selected_{c}"] for c in range(10)))


def test_the_papers_contrast_of_the_teacher_trains_no_student(digits: ImageData) -> None:
    method, embedding = method_of(digits, contrast_weight=1.0), Embedding(12)
    method.setup(digits, "cpu")
    (teacher,) = method.teachers.values()
    views = digits.batch("val", torch.arange(8)).inputs[0], torch.randn(8, 1, 16, 16)
    features = [teacher[:-1](images) for images in views]  # type: ignore[index]
    contrast_loss(*map(embedding, features)).backward()  # type: ignore[no-untyped-call]
    assert all(parameter.grad is None for parameter in method.student.parameters())
    assert all(parameter.grad is not None for parameter in embedding.parameters())


def test_a_selection_that_keeps_nothing_is_an_error(digits: ImageData) -> None:
    method = method_of(digits, pool_selection="threshold", selection_threshold=0.999)
    with pytest.raises(DataError, match=r"epoch 1 selects none of the \d+ images .*threshold"):
        train_by(method, digits, recipe=Recipe(1, batch_size=8))


def test_students_with_more_than_a_pooling_are_refused(digits: ImageData) -> None:
    shape, _ = read_classifier(teacher_network(), *digits.signature.example(2))
    student = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Flatten(), nn.Linear(4 * 14 * 14, 10))
    with pytest.raises(NetworkError, match="does more than pooling between"):
        share_classifier(student, shape, digits.signature)


@pytest.mark.parametrize(
    ("teacher", "message"),
    [
        (nn.Sequential(nn.Conv2d(1, 10, 16), nn.Flatten(), nn.Softmax(1)), "has no linear layer"),
        (nn.Sequential(nn.Flatten(), nn.Linear(256, 10)), "has no feature map"),
        (
            nn.Sequential(
                nn.Conv2d(1, 4, 3), nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(4, 10)
            ),
            "does not read the average of its last feature map",
        ),
    ],
)
def test_teachers_without_a_classifier_to_share_are_refused(
    teacher: nn.Module, message: str
) -> None:
    with pytest.raises(NetworkError, match=message):
        read_classifier(teacher, torch.randn(3, 1, 16, 16))


def test_a_folder_of_any_layout_is_a_pool(digits: ImageData, folder: Path) -> None:
    notes: list[str] = []
    (folder / "broken.jpg").write_text("no image")
    Image.new("RGB", (16, 16), "red").save(folder / "red.png")
    data = with_pool(digits, folder, least=12, progress=lambda step: notes.append(step.note))
    assert data.train.images.shape == (12, 1, 16, 16)
    assert torch.equal(data.test.labels, digits.test.labels)
    assert any("unreadable images left out, 1" in note for note in notes)
    assert any("1 images of a single color are left out" in note for note in notes)


def test_the_images_of_a_dataset_are_converted_once(digits: ImageData) -> None:
    pools = [with_pool(digits, digits).train.images for _ in range(2)]
    assert pools[0].data_ptr() == pools[1].data_ptr()
    darker = Split(digits.train.images // 2, digits.train.labels)
    other = with_pool(digits, replace(digits, train=darker)).train.images
    torch.testing.assert_close(other, digits.train.images // 2)


def test_pools_that_are_too_small_or_of_one_color_are_refused(
    digits: ImageData, folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=r"at least 64 images, one batch, but .* has 12"):
        check_pool(folder, least=64)
    plain = tmp_path / "plain"
    plain.mkdir()
    for number in range(8):
        Image.new("L", (8, 8), number * 20).save(plain / f"{number}.png")
    with pytest.raises(DataError, match="without images of a single color, has 0"):
        with_pool(digits, plain, least=8)
    for number in range(8):
        (plain / f"{number}.png").write_bytes(b"damaged")
    with pytest.raises(DataError, match=r"cannot be read: .*png"):
        with_pool(digits, plain, least=8)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"data": "cifar10"}, OptionError, "needs unlabeled images.*--pool"),
        ({"pool": "missing/folder"}, DataError, "no folder missing/folder"),
        ({"pool": "cifar"}, UnknownNameError, "unknown dataset 'cifar'"),
        ({"pool": "package:pool"}, OptionError, "got the code 'package:pool'"),
        ({"latency": "table.csv"}, OptionError, "with their own classifiers"),
        ({"scorer": "grasp"}, OptionError, "has no labels, but the scorer"),
    ],
)
def test_options_are_checked_first(
    options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        METHOD.check(find_task("images"), options)
    with pytest.raises(OptionError, match="task text are not"):
        METHOD.check(find_task("text"), {})


def test_the_built_in_pool_holds_no_training_and_no_test_images() -> None:
    pool, data = mixed_digits(), load_data("digits")
    known = {image.numpy().tobytes() for part in (data.train, data.test) for image in part.images}
    assert not known & {image.numpy().tobytes() for image in pool.images}


@pytest.mark.slow
@pytest.mark.processes
def test_a_run_distills_and_exports_a_shared_classifier(cli: CommandLine, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shared = ("run", "--method", "web-images", "--space", "thin", "--max-params", "20k")
    small = ("--engine", "random", "--population", "3", "--generations", "1", "--epochs", "1")
    teacher = ("--teacher", "resnet20", "--teacher-epochs", "1", "--force", "--no-compare")
    options = ("--images-per-epoch", "128", "--selection-threshold", "0.2", "--no-onnx")
    done = cli(*shared, *small, *teacher, *options, "--out", run)
    assert done.code == 0, done.err
    assert "trained with kd3" in done.out
    report = json.loads((run / "distill/kd3/report.json").read_text("utf-8"))
    assert report["metrics"]["shared_classifier"]["channels"] == 64
    again = cli("resume", run)
    assert again.code == 0, again.err
    exported = cli("export", run, "--no-onnx", "--out", tmp_path / "student")
    assert exported.code == 0, exported.err


@pytest.mark.slow
@pytest.mark.processes
@pytest.mark.parametrize("method", ["web-images", "data-free"])
def test_distill_trains_one_student_by_a_method(
    cli: CommandLine, tmp_path: Path, method: str
) -> None:
    arch = "stem=3,expansion=1,width1=4,depth1=1,kernel1=3,width2=8,depth2=1,kernel2=3"
    amount = {"web-images": "--images-per-epoch", "data-free": "--samples-per-epoch"}
    small = ("--teacher", "resnet20", "--teacher-epochs", "1", "--epochs", "1", "--force")
    common = ("distill", "--method", method, "--space", "thin", "--arch", arch, *small)
    out = tmp_path / "out"
    done = cli(*common, amount[method], "128", "--out", out)
    assert done.code == 0, done.err
    assert ("kd3" if method == "web-images" else "kd(T=6)") in done.out
    manifest = json.loads((out / "training.json").read_text("utf-8"))
    assert manifest["options"]["method"] == method
    exported = cli("export", out, "--space", "thin", "--no-onnx", "--out", tmp_path / "student")
    assert exported.code == 0, exported.err
    refused = cli("distill", "--method", "supernet", "--arch", arch)
    assert refused.code != 0
    assert "diswot run --method supernet" in refused.err
    if method == "web-images":  # a pool is read before the teacher is trained
        (tmp_path / "plain").mkdir()
        for number in range(64):
            Image.new("L", (8, 8), number).save(tmp_path / "plain" / f"{number}.png")
        plain = cli(*common, "--pool", tmp_path / "plain", "--teacher-epochs", "7")
        assert plain.code != 0
        assert "without images of a single color, has 0" in plain.err
        assert "teacher" not in plain.err
