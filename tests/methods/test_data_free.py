"""Distillation without training data: generators, noise, and what is read."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from diswot.errors import OptionError, TeacherError
from diswot.losses import parse_objective
from diswot.methods import find_method
from diswot.methods.data_free import (
    OBJECTIVES,
    SAMPLES,
    DataFreeMethod,
    ImageGenerator,
    input_statistics,
)
from diswot.methods.data_free._batches import NoiseBatches
from diswot.networks import ActivationReader
from diswot.options import filled
from diswot.tasks import find_task
from diswot.tasks.images import ImageData, Split, load_data
from diswot.teachers import OwnView
from diswot.testing import check_method
from diswot.training import PlainBatches, Recipe, train_by
from tests.conftest import CommandLine

METHOD = find_method("data-free")


class Unreadable(Split):
    """Images that fail when they are read."""

    def take(self, indices: Tensor) -> Split:
        raise AssertionError("a training image was read")


class Doubled(OwnView):
    """A teacher that converts its inputs."""

    def forward(self, images: Tensor) -> Tensor:
        found: Tensor = self.network(2 * images)
        return found


def network(width: int = 4) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, width, 3, padding=1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        nn.Conv2d(width, 6, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(6, 10),
    )


def options_of(samples: str, **other: Any) -> Mapping[str, Any]:
    small = {"samples_per_epoch": 24, "latent_size": 8}
    return filled(METHOD.options, {**small, "samples": samples, **other})


def method_of(samples: str, **other: Any) -> DataFreeMethod:
    torch.manual_seed(0)
    teacher, student = network(8).requires_grad_(False), network()
    found = OBJECTIVES.get(samples)
    loss = parse_objective("kd(T=4)" if found is None else found.loss)
    chosen = options_of(samples, **other)
    return DataFreeMethod(student, loss, teachers={"teacher": teacher}, options=chosen)


@pytest.fixture(scope="module")
def digits() -> ImageData:
    found = load_data("digits")
    few = torch.arange(24)
    return replace(found, train=found.train.take(few), val=found.val.take(few), test=found.test)


@pytest.mark.parametrize("samples", SAMPLES)
def test_the_contract_of_methods_holds(samples: str, digits: ImageData) -> None:
    check_method(partial(method_of, samples), digits)


@pytest.mark.parametrize("samples", [each for each in SAMPLES if each != "distorted"])
def test_no_training_image_is_read(samples: str, digits: ImageData) -> None:
    hidden = replace(digits, train=Unreadable(digits.train.images, digits.train.labels))
    method = method_of(samples, samples_per_epoch=80)  # zskt trains its generator every 10 steps
    result = train_by(method, hidden, recipe=Recipe(1, batch_size=8))
    assert result.train_reads == 0
    with pytest.raises(AssertionError, match="a training image was read"):
        train_by(method_of("distorted"), hidden, recipe=Recipe(1, batch_size=8))


def test_training_images_that_are_read_are_counted(digits: ImageData, tmp_path: Path) -> None:
    recipe = Recipe(3, batch_size=8)
    whole = train_by(method_of("distorted"), digits, recipe=recipe)
    assert [epoch.values["train_reads"] for epoch in whole.history] == [24, 48, 72]
    train_by(
        method_of("distorted"), digits, recipe=recipe, folder=tmp_path, stop=lambda n, _: n > 1
    )
    resumed = train_by(method_of("distorted"), digits, recipe=recipe, folder=tmp_path)
    assert resumed.train_reads == whole.train_reads == 72
    assert "train_reads" in (tmp_path / "metrics.csv").read_text()


def test_distorted_images_are_read_without_labels(digits: ImageData) -> None:
    other = replace(digits, train=Split(digits.train.images, digits.train.labels * 0))
    weights = []
    for data in (digits, other):
        method = method_of("distorted")
        train_by(method, data, recipe=Recipe(1, batch_size=8))
        weights.append(torch.cat([each.flatten() for each in method.student.parameters()]))
    torch.testing.assert_close(*weights, rtol=0, atol=0)


def test_terms_of_the_generator_are_those_of_the_papers() -> None:
    torch.manual_seed(0)
    teacher, images = network(8).eval(), torch.randn(5, 1, 16, 16)
    student = torch.randn(5, 10)
    with ActivationReader(teacher) as read:
        activations = read(images)
    logits = teacher(images)
    p, q = logits.softmax(1), student.softmax(1)
    found = OBJECTIVES["dafl"].terms(activations, student)
    mean = p.mean(0)
    expected = {
        "one-hot": -0.05 * p.max(1).values.log().mean(),
        "balance": 5 * sum(each * torch.log10(each) for each in mean),
        "activation": -0.01 * teacher[:-1](images).abs().mean(),
    }
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value)
    divergence = (p * (p.log() - q.log())).sum(1).mean()
    (term,) = OBJECTIVES["zskt"].terms(activations, student).values()
    torch.testing.assert_close(term, -divergence)


def test_the_generator_moves_away_from_the_student_in_zskt(digits: ImageData) -> None:
    method = method_of("zskt")
    method.setup(digits, "cpu")
    optimizer = torch.optim.Adam(method.generator.parameters(), 1e-2)
    batch, found = method.batches(digits, Recipe(1))(torch.arange(16)), []
    method.prepare(PlainBatches(24, partial(method.batches, digits, Recipe(1)), 8, 0, False, print))
    with method.watching():
        for _ in range(15):
            loss = method.losses("generator", batch, 0).total
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            found.append(-float(loss.detach()))
    assert found[-1] > found[0]


def test_a_student_gets_no_gradient_into_the_generator(digits: ImageData) -> None:
    method = method_of("dafl")
    method.setup(digits, "cpu")
    source = partial(method.batches, digits, Recipe(1))
    method.prepare(PlainBatches(24, source, 8, 0, False, lambda _: None))
    with method.watching():
        method.losses("student", source()(torch.arange(8)), 0).total.backward()  # type: ignore[no-untyped-call]
    assert all(each.grad is None for each in method.generator.parameters())
    assert all(each.grad is not None for each in method.student.parameters())


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 15, 17), (2, 33, 4)])
def test_generated_images_are_normalized(shape: tuple[int, int, int]) -> None:
    torch.manual_seed(0)
    images = ImageGenerator(shape, latent=5)(torch.randn(32, 5))
    assert images.shape == (32, *shape)
    torch.testing.assert_close(images.mean((0, 2, 3)), torch.zeros(shape[0]), atol=1e-4, rtol=0)
    variance = images.var((0, 2, 3), correction=0)
    torch.testing.assert_close(variance, torch.ones(shape[0]), atol=1e-2, rtol=0)


def test_noise_statistics_are_those_of_noise_the_teacher_saw() -> None:
    torch.manual_seed(0)
    teacher = nn.Sequential(nn.Conv2d(3, 16, 3), nn.BatchNorm2d(16, momentum=None))
    mean = torch.tensor([0.5, -1.0, 2.0])
    for _ in range(20):
        teacher(mean.view(3, 1, 1) + 0.7 * torch.randn(64, 3, 12, 12))
    found = input_statistics(teacher)
    torch.testing.assert_close(found.mean, mean, atol=0.02, rtol=0)
    torch.testing.assert_close(found.std, torch.tensor(0.7), atol=0.02, rtol=0)
    (sample,) = NoiseBatches((3, 6, 6), "cpu", found)(torch.arange(500)).inputs
    torch.testing.assert_close(sample.mean((0, 2, 3)), mean, atol=0.05, rtol=0)
    torch.testing.assert_close(sample[:, 0].std(), torch.tensor(0.7), atol=0.02, rtol=0)


@pytest.mark.parametrize(
    "teacher",
    [
        nn.Sequential(nn.Flatten(), nn.Linear(4, 2)),
        nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4, track_running_stats=False)),
        nn.Sequential(nn.Conv2d(1, 4, 3), nn.Conv2d(4, 4, 3), nn.BatchNorm2d(4)),
    ],
)
def test_a_teacher_without_statistics_is_refused(teacher: nn.Module) -> None:
    with pytest.raises(TeacherError, match=r"carries statistics .*--samples dafl"):
        input_statistics(teacher)


@pytest.mark.parametrize("loss", ["ce + kd(T=4)", "dkd"])
def test_losses_of_labels_are_refused(loss: str) -> None:
    teachers = {"teacher": network(8)}
    with pytest.raises(OptionError, match="reads labels, which pseudo-samples do not have"):
        DataFreeMethod(
            network(), parse_objective(loss), teachers=teachers, options=options_of("dafl")
        )


def test_losses_that_need_training_images_are_refused(digits: ImageData) -> None:
    teachers = {"teacher": network(8)}
    method = DataFreeMethod(
        network(), parse_objective("ft"), teachers=teachers, options=options_of("noise")
    )
    with pytest.raises(OptionError, match="the loss ft has parts that are trained on training"):
        method.setup(digits, "cpu")


def test_a_teacher_converts_the_distorted_images_itself(digits: ImageData) -> None:
    method = method_of("distorted", distortion=100.0)
    wrapped = method.teachers["teacher"]
    method.teachers = {"teacher": Doubled(wrapped)}
    source = partial(method.batches, digits, Recipe(1, augment="none"))
    assert not source().fixed  # outputs for clean images are not cached
    assert not method.viewing  # no view of the undistorted images
    method.setup(digits, "cpu")
    method.prepare(PlainBatches(24, source, 8, 0, source().fixed, print))
    seen: list[Tensor] = []
    wrapped.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    with method.watching():
        batch = source()(torch.arange(8))
        method.losses("student", batch, 0)
    torch.testing.assert_close(seen[0], 2 * batch.inputs[0], rtol=0, atol=0)
    assert batch.inputs[0].std() > 50


def test_tasks_and_scorers_that_do_not_fit_are_refused() -> None:
    with pytest.raises(OptionError, match="task landmarks are not"):
        METHOD.check(find_task("landmarks"), {})
    with pytest.raises(OptionError, match="has no labels, but the scorer"):
        METHOD.check(find_task("images"), {"scorer": "grasp"})


@pytest.mark.slow
@pytest.mark.processes
def test_a_run_distills_without_training_images(cli: CommandLine, tmp_path: Path) -> None:
    shared = ("run", "--method", "data-free", "--space", "thin", "--max-params", "4k")
    small = ("--engine", "random", "--population", "4", "--generations", "1", "--epochs", "1")
    teacher = ("--teacher", "resnet20", "--teacher-epochs", "1", "--force", "--no-compare")
    options = ("--samples-per-epoch", "128", "--no-onnx", "--out", tmp_path / "run")
    done = cli(*shared, *small, *teacher, *options)
    assert done.code == 0, done.err
    assert "trained with kd(T=6)" in done.out
    assert "Training examples read by the training with kd(T=6): 0" in done.out
    reported = cli("report", tmp_path / "run")
    assert reported.code == 0, reported.err
    assert "training images read" in (tmp_path / "run/report.html").read_text("utf-8")
    again = cli("resume", tmp_path / "run")
    assert again.code == 0, again.err
