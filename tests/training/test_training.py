"""The training loop: schedule, checkpoints, determinism and side effects."""

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

import diswot
from diswot.errors import (
    CheckpointError,
    NetworkError,
    OptionError,
    RunError,
    RunFolderError,
    TeacherError,
)
from diswot.students import build_student
from diswot.tasks.images import ImageData, load_data
from diswot.training import (
    Distillation,
    Recipe,
    halve,
    parse_objective,
    prepare_distillation,
    train,
)
from search_spaces import CifarResNet, ResNetDepthSpace


@pytest.fixture(name="data", scope="module")
def fixture_data() -> ImageData:
    return load_data("digits")


def student(seed: int = 0, in_channels: int = 1) -> CifarResNet:
    torch.manual_seed(seed)
    return CifarResNet((1, 1), num_classes=10, widths=(4, 4, 8), in_channels=in_channels)


def test_the_recipe_of_the_paper_is_scaled_to_the_epochs() -> None:
    recipe = Recipe(epochs=240)
    rates = [recipe.rate(epoch) for epoch in (0, 149, 150, 179, 180, 209, 210, 239)]
    assert rates == pytest.approx([0.05, 0.05, 5e-3, 5e-3, 5e-4, 5e-4, 5e-5, 5e-5])
    assert [Recipe(epochs=8).rate(epoch) for epoch in (4, 5, 6, 7)] == pytest.approx(
        [0.05, 5e-3, 5e-4, 5e-5]
    )


@pytest.mark.slow
def test_training_learns_and_selects_the_best_epoch(data: ImageData, tmp_path: Path) -> None:
    network = student()
    before = data.metrics[0].measure(network, data, "test")
    report = train(
        network,
        data,
        objective=parse_objective("alone"),
        recipe=Recipe(epochs=8, batch_size=16),
        folder=tmp_path,
    )
    assert report.test.value > before.value + 0.1
    best = max(epoch.val for epoch in report.history)
    assert report.history[report.best_epoch - 1].val == best == report.val.value
    kept = load_file(tmp_path / "best.safetensors")
    assert all(torch.equal(kept[name], value) for name, value in network.state_dict().items())
    assert (tmp_path / "last.safetensors").exists()
    with (tmp_path / "metrics.csv").open() as file:
        assert [int(row["epoch"]) for row in csv.DictReader(file)] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert not list(tmp_path.glob("*.partial"))


def test_the_same_seed_gives_the_same_weights(data: ImageData) -> None:
    states = []
    for _ in range(2):
        network = student()
        train(network, data, objective=parse_objective("alone"), recipe=Recipe(epochs=1))
        states.append(network.state_dict())
    assert all(torch.equal(states[0][name], value) for name, value in states[1].items())


def test_the_test_split_has_no_influence(data: ImageData) -> None:
    blank = replace(data, test=replace(data.test, images=torch.zeros_like(data.test.images)))
    states = []
    for seen in (data, blank):
        network = student()
        train(network, seen, objective=parse_objective("alone"), recipe=Recipe(epochs=1))
        states.append(network.state_dict())
    assert all(torch.equal(states[0][name], value) for name, value in states[1].items())


def test_the_teacher_is_not_changed(data: ImageData) -> None:
    teacher = student(1)
    before = {name: value.clone() for name, value in teacher.state_dict().items()}
    diswot.distill(student(), teacher, data=data, loss="diswot-dagger", epochs=1, force=True)
    assert all(torch.equal(before[name], value) for name, value in teacher.state_dict().items())
    assert not any(module._forward_hooks for module in teacher.modules())


@pytest.mark.slow
def test_a_built_in_teacher_is_trained_once(data: ImageData, tmp_path: Path) -> None:
    stages: list[list[str]] = []
    for _ in range(2):
        reported: list[str] = []
        diswot.distill(
            student(),
            "resnet20",
            data=data,
            data_root=tmp_path,
            epochs=1,
            teacher_epochs=1,
            force=True,
            progress=lambda step, reported=reported: reported.append(step.stage),  # type: ignore[misc]
        )
        stages.append(list(dict.fromkeys(reported)))
    assert stages == [["teacher", "diswot"]] * 2
    assert len(list((tmp_path / "teachers").iterdir())) == 1


@pytest.mark.slow
def test_a_damaged_cached_teacher_is_trained_again_with_a_note(
    data: ImageData, tmp_path: Path
) -> None:
    notes: list[str] = []
    for _ in range(2):
        diswot.distill(
            student(),
            "resnet20",
            data=data,
            data_root=tmp_path,
            epochs=1,
            teacher_epochs=1,
            force=True,
            progress=lambda step: notes.append(step.note),
        )
        (kept,) = (tmp_path / "teachers").iterdir()
        size = kept.stat().st_size
        kept.write_bytes(b"damaged")
    assert size > 100_000
    assert [note for note in notes if "damaged" in note] == [
        f"{kept} is damaged, so it is trained again"
    ]


class Scaled(nn.Module):
    """A teacher with a parameter that no `reset_parameters` reinitializes."""

    def __init__(self) -> None:
        super().__init__()
        self.body = student(1)
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.body(images * self.scale)
        return logits


def test_a_teacher_without_reset_can_still_be_distilled(data: ImageData) -> None:
    report = diswot.distill(student(), Scaled(), data=data, epochs=1, force=True)
    assert report.test.n == 1297
    with pytest.raises(TeacherError, match="use the trained state"):
        diswot.score(["1-1-1"], Scaled(), scorer="diswot", repeats=1, batch_size=8)
    options: dict[str, Any] = {"repeats": 1, "batch_size": 8}
    assert diswot.score(["1-1-1"], Scaled(), **options)[0].score is not None


def test_a_loss_that_is_not_finite_stops_the_training(data: ImageData) -> None:
    network = student()
    nn.init.constant_(network.classifier.weight, float("nan"))
    with pytest.raises(RunError, match="the loss alone is nan in epoch 1, step 1"):
        train(network, data, objective=parse_objective("alone"), recipe=Recipe(epochs=1))


def test_a_student_that_does_not_fit_the_data_is_refused(data: ImageData) -> None:
    with pytest.raises(NetworkError, match="the student cannot take inputs of shape"):
        diswot.distill(student(in_channels=3), student(1), data=data, epochs=1, force=True)


def test_a_loss_that_needs_a_teacher_is_refused_without_one(data: ImageData) -> None:
    with pytest.raises(OptionError, match="needs a teacher"):
        train(student(), data, objective=parse_objective("diswot"), recipe=Recipe(epochs=1))


def test_the_error_names_the_first_tensor_of_another_checkpoint(tmp_path: Path) -> None:
    torch.save(student().state_dict(), tmp_path / "teacher.pt")
    with pytest.raises(CheckpointError, match=r"expected stem\.0\.weight of shape \(16, 1, 3, 3\)"):
        diswot.distill(
            student(), "resnet20", teacher_weights=tmp_path / "teacher.pt", data="digits"
        )


@pytest.mark.slow
def test_a_checkpoint_is_loaded(data: ImageData, tmp_path: Path) -> None:
    teacher = CifarResNet((3, 3, 3), num_classes=10, in_channels=1)
    torch.save({"state_dict": teacher.state_dict()}, tmp_path / "teacher.pth")
    reported: list[str] = []
    diswot.distill(
        student(),
        "resnet20",
        teacher_weights=tmp_path / "teacher.pth",
        data=data,
        epochs=1,
        force=True,
        progress=lambda step: reported.append(step.note),
    )
    assert not any("training" in note for note in reported if note.startswith("resnet20"))
    assert sum(note.startswith("resnet20") for note in reported) == 1  # its accuracy


def test_a_training_resumes_only_for_its_own_architecture(tmp_path: Path) -> None:
    space = ResNetDepthSpace((1, 2), widths=(4, 4, 8), in_channels=1)
    distillation = prepare_distillation(None, data="digits", epochs=1, device="cpu")

    def built(name: str) -> nn.Module:
        return build_student(space, space.from_string(name), distillation.data.signature)

    trained = built("1-2")
    training = distillation.train(trained, loss="alone", folder=tmp_path)
    again, other = built("1-2"), built("1-1")
    assert distillation.trained_before(again, tmp_path, loss="alone") == replace(
        training, seconds=round(training.seconds, 2)
    )
    for name, tensor in trained.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor)
    before = {name: tensor.clone() for name, tensor in other.state_dict().items()}
    assert distillation.trained_before(other, tmp_path, loss="alone") is None
    assert all(torch.equal(before[name], now) for name, now in other.state_dict().items())
    assert distillation.trained_before(built("1-2"), tmp_path, loss="2*ce") is None
    longer = prepare_distillation(None, data="digits", epochs=2, device="cpu")
    assert longer.trained_before(built("1-2"), tmp_path, loss="alone") is None


def unfinished(folder: Path) -> Distillation:
    """Leave an unfinished training of `student()` in a folder: a checkpoint, no report."""
    distillation = prepare_distillation(None, data="digits", epochs=1, device="cpu")
    train(
        student(),
        distillation.data,
        objective=parse_objective("alone"),
        recipe=distillation.recipe,
        folder=folder,
    )
    return distillation


def test_an_unfinished_training_of_another_can_be_discarded(tmp_path: Path) -> None:
    distillation = unfinished(tmp_path)
    assert not distillation.drop_another(student(), tmp_path, loss="alone")
    assert (tmp_path / "checkpoint.pt").exists()
    assert distillation.drop_another(CifarResNet((1, 1), num_classes=10), tmp_path, loss="alone")
    assert not (tmp_path / "checkpoint.pt").exists()


def test_a_restarted_shortlist_drops_trainings_of_other_students(tmp_path: Path) -> None:
    distillation = unfinished(tmp_path)
    shape: Any = {"num_classes": 10, "widths": (4, 4, 8), "in_channels": 1}
    other = {"other": lambda: CifarResNet((2, 1), **shape)}
    with pytest.raises(RunFolderError, match="another"):
        halve(other, distillation, loss="alone", folder=tmp_path)
    reported: list[str] = []
    found = halve(
        other,
        distillation,
        loss="alone",
        folder=tmp_path,
        progress=lambda step: reported.append(step.note),
        replace_unfinished=True,
    )
    assert found.best == "other"
    assert sum("starts again" in message for message in reported) == 1
