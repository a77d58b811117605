"""Training options: averaging, mixing, precision, and a teacher near chance."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import diswot
from diswot.errors import OptionError, TeacherError
from diswot.progress import Step
from diswot.tasks.images import ImageData, augmentation, load_data
from diswot.training import (
    Recipe,
    parse_objective,
    prepare_distillation,
    train,
)
from tests.training.short_training import Small, few_digits, run_training, small

SHORT = Recipe(epochs=1, batch_size=48)


class Watching(nn.Module):
    """A network that stores its input images."""

    def __init__(self, inner: Small) -> None:
        super().__init__()
        self.inner = inner
        self.seen: list[Tensor] = []

    def forward(self, images: Tensor) -> Tensor:
        self.seen.append(images.detach().clone())
        logits: Tensor = self.inner(images)
        return logits


def training_batches(network: Watching) -> list[Tensor]:
    return [images for images in network.seen if len(images) == SHORT.batch_size]


@pytest.mark.parametrize(
    "recipe",
    [replace(SHORT, mixup=0.4), replace(SHORT, cutmix=1.0), replace(SHORT, augment="strong")],
    ids=["mixup", "cutmix", "strong"],
)
def test_the_teacher_gets_the_same_images_as_the_student(recipe: Recipe) -> None:
    student, teacher = Watching(small(0)), Watching(small(1))
    run_training(None, recipe, student=student, teacher=teacher, loss="kd")
    batches = training_batches(student), training_batches(teacher)
    assert len(batches[0]) == 6
    assert all(map(torch.equal, *batches))


def test_strong_augmentation_is_drawn_per_image() -> None:
    data = few_digits()
    *_, change = augmentation(data, "strong").children()
    alike = data.train.images[:1].float().expand(64, -1, -1, -1)
    for seed in range(4):
        torch.manual_seed(seed)
        changed = change(alike)
        distinct = {image.numpy().tobytes() for image in changed}
        assert len(distinct) > 32  # it would be 1 if one change applied to the whole batch
        torch.manual_seed(seed)
        assert torch.equal(change(alike), changed)
    assert torch.equal(alike, data.train.images[:1].float().expand(64, -1, -1, -1))


def test_without_augmentation_teacher_outputs_are_cached() -> None:
    data, teacher, reported = few_digits(), Watching(small(1)), list[Step]()
    for augment in ("none", "standard"):
        train(
            small(0),
            data,
            objective=parse_objective("ce + 0.9*kd"),
            recipe=replace(SHORT, epochs=3, augment=augment),
            teachers={"teacher": teacher},
            progress=reported.append,
        )
        if augment == "none":
            assert not training_batches(teacher)
    assert len(training_batches(teacher)) == 18
    (note,) = (step.note for step in reported if step.total == 0 and step.note)
    assert "the teacher's outputs of 288 examples are kept in memory" in note


def test_large_outputs_are_not_cached_and_weights_are_equal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recipe, reported = replace(SHORT, augment="none"), list[Step]()
    cached, live = small(0), small(0)
    run_training(None, recipe, student=cached, progress=reported.append)
    monkeypatch.setattr("diswot.training._teacher_outputs.MOST_CACHED", 0)
    run_training(None, recipe, student=live, progress=reported.append)
    notes = [step.note for step in reported if step.total == 0 and step.note]
    assert "are kept in memory" in notes[0]
    assert "are too large to keep" in notes[1]
    torch.testing.assert_close(cached.classifier.weight, live.classifier.weight)


def test_the_moving_average_is_evaluated_and_saved() -> None:
    plain, averaged, frozen = small(0), small(0), small(0)
    run_training(None, SHORT, student=plain, loss="ce")
    run_training(None, replace(SHORT, ema=0.9), student=averaged, loss="ce")
    moved = (plain.classifier.weight - frozen.classifier.weight).norm()
    behind = (averaged.classifier.weight - frozen.classifier.weight).norm()
    assert 0 < behind < moved


def test_gradient_accumulation_equals_the_whole_batch() -> None:
    whole, parts = (small(0, normalized=False) for _ in range(2))
    recipe = replace(SHORT, augment="none")
    run_training(None, recipe, student=whole, loss="ce + kd")
    run_training(None, replace(recipe, gradient_accumulation=4), student=parts, loss="ce + kd")
    torch.testing.assert_close(parts.classifier.weight, whole.classifier.weight)


def test_half_precision_requires_a_device_that_supports_it() -> None:
    history = run_training(None, replace(SHORT, precision="bf16")).history
    assert history[0].train_loss > 0
    with pytest.raises(OptionError, match="Expected a GPU for the precision fp16"):
        run_training(None, replace(SHORT, precision="fp16"))
    run_training(None, SHORT)  # the precision of one training is not that of the next


def test_metrics_and_progress_contain_every_term(tmp_path: Path) -> None:
    steps: list[Step] = []
    train(
        small(0),
        few_digits(),
        objective=parse_objective("ce + 0.9*kd(T=4)"),
        recipe=SHORT,
        teachers={"teacher": small(1)},
        folder=tmp_path,
        progress=steps.append,
    )
    with (tmp_path / "metrics.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert list(row) == [
        "epoch", "learning_rate", "train_loss", "loss_ce", "loss_kd(T=4)", "val_accuracy",
        "examples_per_second", "seconds",
    ]  # fmt: skip
    total = float(row["loss_ce"]) + float(row["loss_kd(T=4)"])
    assert float(row["train_loss"]) == pytest.approx(total)
    epoch, tested = (step for step in steps if step.values)
    assert {name: f"{value}" for name, value in epoch.values.items()} == {
        name: value for name, value in row.items() if name != "epoch"
    }
    assert list(tested.values) == ["test_accuracy"]


def test_a_teacher_near_chance_is_refused_without_force() -> None:
    data = few_digits()
    with pytest.raises(TeacherError, match="better than chance: its outputs are"):
        diswot.distill(small(0), small(1), data=data, epochs=1)
    assert diswot.distill(small(0), small(1), data=data, epochs=1, force=True).history


def test_the_flips_option_affects_only_the_training() -> None:
    data = load_data("digits")
    chosen = prepare_distillation(None, data=data, flips=True)
    assert isinstance(chosen.data, ImageData)
    assert chosen.data.flips
    assert prepare_distillation(None, data=data).data.digest == data.digest
    assert chosen.data.digest != data.digest
