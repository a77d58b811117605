"""Losses of landmarks, as terms of expressions."""

import pytest
import torch
from torch import Tensor, nn

from diswot.errors import OptionError
from diswot.losses import Criterion, TrainingBatch, parse_objective
from diswot.networks import ActivationReader, Activations
from diswot.tasks import find_task
from diswot.tasks.landmarks import FIGURE, LandmarkData, assistive_loss, l2_loss, main_loss
from diswot.testing import check_loss

FEW = 8


def network(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(784, 32)).eval()


def activations_of(of: nn.Module, images: Tensor) -> Activations:
    with ActivationReader(of) as read:
        return read(images)


class Step:
    """Outputs and activations of a student and two teachers for a few images."""

    def __init__(self, data: LandmarkData) -> None:
        batch = data.batch("train", torch.arange(FEW))
        self.images, self.truth = batch.inputs[0], batch.targets
        self.networks = {"student": network(0), "tough": network(1), "tolerant": network(2)}
        found = {name: activations_of(each, self.images) for name, each in self.networks.items()}
        self.student = found.pop("student")
        self.teachers = found
        labels = torch.empty(0)
        self.known = TrainingBatch(self.truth, labels, batch.indices, teachers=self.teachers)

    def value(self, loss: str) -> Tensor:
        student, tough = self.networks["student"], self.networks["tough"]
        objective = parse_objective(loss)
        criterion: Criterion = objective.build(
            student, tough, self.images, outputs=32, train_examples=FEW
        )
        total: Tensor = criterion(self.student, self.teachers["tough"], self.known).total
        return total


@pytest.fixture(scope="module")
def step(outlines: LandmarkData) -> Step:
    return Step(outlines)


def test_l2_is_the_squared_distance(step: Step) -> None:
    expected = (step.student.output - step.truth).square().mean()
    assert torch.allclose(step.value("l2"), expected)
    assert torch.allclose(l2_loss(step.student.output, step.truth), expected)
    assert not parse_objective("l2").needs_teacher


def test_kd_loss_is_the_sum_of_its_parts(step: Step) -> None:
    main = main_loss(step.student.output, step.truth)
    assisted = {
        name: assistive_loss(step.student.output, teacher.output, step.truth, constants=FIGURE)
        for name, teacher in step.teachers.items()
    }
    assert torch.allclose(step.value("kd-loss"), 2.5 * main + sum(assisted.values()))
    for name, expected in assisted.items():
        assert torch.allclose(step.value(f"assist(teacher={name})"), expected)
    assert torch.allclose(step.value("main + 0.5*assist"), 2.5 * main + 0.5 * assisted["tough"])


def test_constants_are_options(step: Step) -> None:
    student, truth = step.student.output, step.truth
    expected = main_loss(student, truth, slope=3, tau=0.01)
    assert torch.allclose(step.value("1*main(slope=3, tau=0.01)"), expected)
    hard = step.value("assist(kappa=0.15, positive=1.9, negative=0.45, ramp=False)")
    assert not torch.allclose(hard, step.value("assist"))


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        ("assist(teacher=kind)", "a teacher of tough, tolerant, not 'kind'"),
        ("assist(kappa=1.5)", "kappa between 0 and 1, but got 1.5"),
        ("main(tau=0)", "main takes a number above 0 as tau"),
        ("assist(negative=-1)", "weights of at least 0"),
    ],
)
def test_options_out_of_range_are_refused(step: Step, loss: str, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        step.value(loss)


@pytest.mark.parametrize("loss", ["ce", "kd", "diswot", "l2 + dkd"])
def test_classification_losses_are_refused_by_name(loss: str) -> None:
    task = find_task("landmarks")
    with pytest.raises(OptionError, match=r"the loss .* reads logits.*the task landmarks gives"):
        parse_objective(loss).check_reads(task.reads, task=task.name)


@pytest.mark.parametrize("loss", ["l2", "kd-loss", "l2 + 0.1*at", "main + fitnet"])
def test_losses_on_outputs_and_feature_maps_can_be_used(loss: str) -> None:
    task = find_task("landmarks")
    parse_objective(loss).check_reads(task.reads, task=task.name)


@pytest.mark.parametrize("loss", ["l2", "main", "assist", "kd-loss"])
def test_losses_follow_their_contract(loss: str) -> None:
    check_loss(loss)
