"""Tasks with several teachers, and losses that need data the task does not provide."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import diswot
from diswot.errors import OptionError
from diswot.losses import TrainingBatch
from diswot.networks import Activations
from diswot.progress import Step
from diswot.tasks.images import ImageClassification, ImageData
from diswot.training import Distillation, prepare_distillation
from tests.training.short_training import few_digits, small

BOTH = "tests.training.test_several_teachers:both"
OPTIONS: dict[str, Any] = {"epochs": 1, "force": True, "device": "cpu"}


class TwoTeachers(ImageClassification):
    """Images with one teacher trained on all of them and one on the first of them."""

    teachers = ("whole", "part")


class OutputsAlone(ImageClassification):
    """Images of a task whose losses can read only outputs."""

    reads = frozenset({"outputs"})


@dataclass(frozen=True, eq=False)
class TwoTeacherImages(ImageData):
    """The images of both tasks."""

    kind: type[ImageClassification] = TwoTeachers

    @property
    def task(self) -> ImageClassification:
        return self.kind()

    def for_teacher(self, teacher: str) -> ImageData:
        part = self.train.take(torch.arange(96))
        return self if teacher == "whole" else replace(self, name="part", train=part)


def few(kind: type[ImageClassification] = TwoTeachers) -> TwoTeacherImages:
    known = {name: value for name, value in vars(few_digits()).items() if name != "digest"}
    return TwoTeacherImages(**known, kind=kind)


def both(student: Activations, teacher: Activations, batch: TrainingBatch) -> Tensor:
    """Return the distance to the mean of two teachers."""
    first, second = batch.teachers.values()
    assert list(batch.teachers) == ["whole", "part"]
    assert first is teacher
    wanted = (first.output + second.output) / 2
    return (student.output - wanted).square().mean()


def weights(distillation: Distillation) -> list[Mapping[str, Tensor]]:
    return [each.network.state_dict() for each in distillation.teachers.values()]


@pytest.mark.slow
def test_every_teacher_is_cached_with_its_training_data(tmp_path: Path) -> None:
    reported: list[Step] = []
    found, again = (
        prepare_distillation(
            "resnet20",
            data=few(),
            data_root=str(tmp_path),
            teacher_epochs=1,
            progress=reported.append,
            **OPTIONS,
        )
        for _ in range(2)
    )
    assert list(found.teachers) == ["whole", "part"]
    assert found.teacher is found.teachers["whole"]
    kept = sorted(path.name.split("-")[1] for path in (tmp_path / "teachers").iterdir())
    assert kept == ["digits", "part"]
    whole, part = weights(found)
    assert not torch.equal(whole["classifier.weight"], part["classifier.weight"])
    for before, after in zip(weights(found), weights(again), strict=True):
        assert all(torch.equal(before[name], after[name]) for name in before)
    ends = [step for step in reported if step.stage == "teacher" and step.done == step.total > 0]
    assert len(ends) == 2  # every teacher was trained once


@pytest.mark.parametrize("augment", ["none", "standard"])
def test_a_loss_reads_all_teachers_by_name(augment: str) -> None:
    teachers: dict[str, nn.Module] = {"part": small(2), "whole": small(1)}
    student = small(0)
    loss = f"{BOTH} + 0.1*kd"
    trained = diswot.distill(student, teachers, data=few(), loss=loss, augment=augment, **OPTIONS)
    assert set(trained.history[0].terms) == {BOTH, "kd"}


@pytest.mark.parametrize("teachers", [{"whole": small(1)}, {"whole": small(1), "other": small(2)}])
def test_teachers_with_other_names_are_refused(teachers: dict[str, nn.Module]) -> None:
    with pytest.raises(OptionError, match="Expected the teachers whole, part of the task images"):
        diswot.distill(small(0), teachers, data=few(), **OPTIONS)


@pytest.mark.parametrize(
    ("loss", "reads"), [("alone", "logits and labels"), ("1*at + 1*rkd", "stages")]
)
def test_a_loss_that_needs_missing_data_is_refused(loss: str, reads: str) -> None:
    with pytest.raises(OptionError, match=f"reads {reads}, but the task images gives outputs"):
        diswot.distill(small(0), small(1), data=few(OutputsAlone), loss=loss, **OPTIONS)
