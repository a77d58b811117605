"""Successive halving of a shortlist."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import nn

from diswot.errors import OptionError
from diswot.progress import Step
from diswot.students import build_student
from diswot.tasks.images import accuracy, load_data
from diswot.training import (
    Distillation,
    Rung,
    Training,
    default_recipe,
    halve,
    total_epochs,
)
from search_spaces import ResNetDepthSpace

SPACE = ResNetDepthSpace((1, 2, 3), in_channels=1)
NAMES = ("1-1-2", "1-2-1", "2-1-1", "1-1-1", "2-2-2")


@pytest.fixture(name="distillation", scope="module")
def fixture_distillation() -> Distillation:
    whole = load_data("digits")
    data = replace(whole, train=whole.train.take(torch.arange(64)))
    return Distillation(data, {}, default_recipe(data, epochs=4, batch_size=32), "cpu")


def students(*names: str) -> dict[str, Callable[[], nn.Module]]:
    def built(name: str) -> nn.Module:
        torch.manual_seed(0)
        return build_student(SPACE, SPACE.from_string(name), load_data("digits").signature)

    return {name: partial(built, name) for name in names}


@pytest.mark.slow
def test_every_round_halves_students_and_doubles_epochs(
    distillation: Distillation, tmp_path: Path
) -> None:
    found = halve(students(*NAMES[:4]), distillation, loss="alone", folder=tmp_path / "distill")
    assert [(len(rung.trainings), rung.epochs) for rung in found.rungs] == [(4, 1), (2, 2), (1, 4)]
    assert found.epochs == total_epochs(4, 4) == 12
    for earlier, later in zip(found.rungs, found.rungs[1:], strict=False):
        kept = set(later.trainings)
        worst_kept = min(earlier.trainings[name].val.value for name in kept)
        dropped = [t.val.value for n, t in earlier.trainings.items() if n not in kept]
        assert max(dropped) <= worst_kept
    assert len(found.training.history) == 4
    assert found.best in found.rungs[1].trainings
    # finished trainings are reused
    steps: list[Step] = []
    again = halve(
        students(*NAMES[:4]),
        distillation,
        loss="alone",
        folder=tmp_path / "distill",
        progress=steps.append,
    )
    assert not steps
    assert again.best == found.best
    states = found.student.state_dict(), again.student.state_dict()
    assert all(torch.equal(states[0][name], value) for name, value in states[1].items())


def test_one_student_is_trained_once(distillation: Distillation) -> None:
    found = halve(students("1-1-1"), distillation, loss="alone")
    assert [(list(rung.trainings), rung.epochs) for rung in found.rungs] == [(["1-1-1"], 4)]
    assert found.gain == 0


def test_an_empty_shortlist_is_refused(distillation: Distillation) -> None:
    with pytest.raises(OptionError, match="at least one student"):
        halve({}, distillation, loss="alone")


def test_of_equal_students_the_earlier_one_is_selected() -> None:
    def training(correct: int) -> Training:
        return Training("alone", (), 1, accuracy(correct, 10), accuracy(correct, 10), 0.0)

    rung = Rung(1, {"a": training(3), "b": training(5), "c": training(3), "d": training(4)})
    assert rung.survivors(3) == ["a", "b", "d"]


@pytest.mark.parametrize(("count", "epochs", "total"), [(1, 9, 9), (2, 10, 20), (8, 8, 32)])
def test_every_round_costs_about_one_training(count: int, epochs: int, total: int) -> None:
    assert total_epochs(count, epochs) == total
