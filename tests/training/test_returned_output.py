"""Students and teachers are trained and evaluated with the output that they return."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import TensorDataset

import diswot
from diswot.errors import NetworkError
from diswot.tasks import Measure
from diswot.tasks.images import Top1, accuracy
from tests.conftest import CommandLine


def quadrants(count: int) -> TensorDataset:
    """Return images whose class is the bright corner."""
    generator = torch.Generator().manual_seed(count)
    labels = torch.arange(count) % 4
    images = torch.rand(count, 1, 8, 8, generator=generator) * 0.3
    for image, label in zip(images, labels.tolist(), strict=True):
        row, column = divmod(label, 2)
        image[0, 4 * row : 4 * row + 4, 4 * column : 4 * column + 4] += 0.7
    return TensorDataset(images, labels)


DATA = diswot.load_data((quadrants(108), quadrants(40)))
METRIC = Top1()


class Pair(NamedTuple):
    """Both heads, with the output called `logits`."""

    aux: Tensor
    logits: Tensor


@dataclass
class Record:
    """Both heads, with the output first."""

    main: Tensor
    aux: Tensor


RETURNED: dict[str, Callable[[nn.Module, Tensor, Tensor], Any]] = {
    "auxiliary head later": lambda _, main, aux: main,
    "two heads in training": lambda net, main, aux: (main, aux) if net.training else main,
    "dictionary": lambda _, main, aux: {"aux_logits": aux, "logits": main},
    "tuple": lambda _, main, aux: (main, aux),
    "named tuple": lambda _, main, aux: Pair(aux, main),
    "dataclass": lambda _, main, aux: Record(main, aux),
    "mean of two heads": lambda _, main, aux: (main + aux) / 2,
    "log of softmax": lambda _, main, aux: main.log_softmax(dim=1),
    "scaled": lambda _, main, aux: 4 * main,
}
OF_ONE_LAYER = list(RETURNED)[:6]


class Headed(nn.Module):
    """A convolution and two heads; the second one runs last."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.conv, self.main, self.aux = nn.Conv2d(1, 8, 3), nn.Linear(32, 4), nn.Linear(32, 4)
        self.kind = kind

    def forward(self, x: Tensor) -> Any:
        features = F.adaptive_avg_pool2d(F.relu(self.conv(x)), 2).flatten(1)
        return RETURNED[self.kind](self, self.main(features), self.aux(features))


def made(kind: str, seed: int = 1) -> Headed:
    torch.manual_seed(seed)
    return Headed(kind)


@torch.no_grad()
def returned_right(network: nn.Module) -> Measure:
    """Return the correct predictions on the test images, by the returned output."""
    found = network.eval()(DATA.normalize(DATA.test.images))
    logits: Any = found[0] if type(found) is tuple else found
    logits = found["logits"] if isinstance(found, dict) else logits
    logits = getattr(found, "logits", getattr(found, "main", logits))
    return accuracy(int((logits.argmax(1) == DATA.test.labels).sum()), len(DATA.test))


def distilled(student: nn.Module, teacher: nn.Module, loss: str) -> diswot.Training:
    return diswot.distill(
        student, teacher, data=DATA, loss=loss, force=True, epochs=3, augment="none"
    )


@pytest.mark.slow
@pytest.mark.parametrize("kind", RETURNED)
def test_a_student_is_trained_and_evaluated_on_its_output(kind: str) -> None:
    student = made(kind)
    report = distilled(student, made(kind, seed=2), "alone")
    assert report.test == returned_right(student)
    assert report.test.value > 0.5
    assert METRIC.measure(student, DATA, "test") == report.test


@pytest.mark.slow
@pytest.mark.parametrize("kind", RETURNED)
def test_a_student_learns_the_returned_output_of_its_teacher(kind: str) -> None:
    teacher = made("auxiliary head later")
    distilled(teacher, teacher, "alone")
    teacher.kind = kind
    teacher.load_state_dict(teacher.state_dict() | {"aux.weight": teacher.main.weight})
    student = made(kind, seed=3)
    report = distilled(student, teacher, "diswot")
    assert report.test == returned_right(student)
    assert report.test.value > 0.5
    assert METRIC.measure(teacher, DATA, "test") == returned_right(teacher)


@pytest.mark.parametrize("loss", ["rkd", "pkt", "cc", "crd", "reviewkd", "semantic"])
def test_feature_losses_refuse_networks_without_a_classifier(loss: str) -> None:
    with pytest.raises(NetworkError, match=r"the teacher does not return the output .* is 'aux'"):
        distilled(made("tuple"), made("mean of two heads"), loss)
    with pytest.raises(NetworkError, match=r"the student does not return the output .* is 'aux'"):
        distilled(made("scaled"), made("tuple"), loss)


@pytest.mark.slow
@pytest.mark.parametrize("kind", OF_ONE_LAYER)
def test_feature_losses_accept_every_form_of_output(kind: str) -> None:
    report = distilled(made(kind), made("tuple", seed=2), "ce + rkd + pkt")
    assert report.test.n == 40


class NoMore(nn.Module):
    """Raises an exception in its third pass in training mode."""

    def __init__(self) -> None:
        super().__init__()
        self.network, self.left = made("tuple"), 3

    def forward(self, x: Tensor) -> Any:
        self.left -= self.training
        if self.left < 0:
            raise ValueError("no more\nand more lines")
        return self.network(x)


def test_an_exception_of_the_student_is_a_one_line_error() -> None:
    with pytest.raises(NetworkError, match=r"^the student raised ValueError in train") as caught:
        distilled(NoMore(), made("tuple"), "alone")
    assert "no more; fix the network" in str(caught.value)
    assert isinstance(caught.value.__cause__, ValueError)


IN_PLACE = """
from torch import nn
from search_spaces import Choice, ChoiceSpace

class Space(ChoiceSpace):
    width = Choice(4, 8)

    def build(self, arch, num_classes):
        return nn.Sequential(
            nn.Conv2d(1, arch.width, 3), nn.ReLU(inplace=True), nn.Dropout(0.2, inplace=True),
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(arch.width, num_classes))
"""


def test_a_failing_backward_pass_is_detected_before_training(
    cli: CommandLine, tmp_path: Path
) -> None:
    (tmp_path / "in_place.py").write_text(IN_PLACE)
    given = ("distill", "--space", "in_place:Space", "--arch", "width=4", "--loss", "alone")
    outcome = cli(*given, "--out", "trained")
    assert outcome.code == 2
    assert outcome.err.splitlines()[-1].startswith(
        "diswot: architecture width=4 raised RuntimeError in its backward pass: one of the"
    )
    assert "Traceback" not in outcome.err
    assert not (tmp_path / "trained").exists()
    assert "Traceback" in cli(*given, "--out", "trained", "--debug").err
