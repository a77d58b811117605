"""Accuracy of students by loss and by shortlist, over several seeds."""

import shutil
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.shortlist_table import ShortlistSettings, shortlist_table
from diswot.bench.loss_table import LossRow, LossTableSettings, loss_table
from diswot.bench.pairs import METHODS, PAIRS, measure_pair, published_figures
from diswot.bench.trainings import TrainingSettings
from diswot.csv_table import read_table
from diswot.errors import DiswotError, RunFolderError
from diswot.progress import Step, silent
from diswot.training import parse_objective
from tests.conftest import CommandLine

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("data_root")]

SETTINGS = TrainingSettings(
    teacher="resnet20", teacher_epochs=2, train_images=60, epochs=1, batch_size=20, force=True
)
COMMON = {field.name: getattr(SETTINGS, field.name) for field in fields(SETTINGS)}
QUICK = LossTableSettings(**COMMON, students=("s0:1-1-1",), losses=("diswot", "ce + dkd"), seeds=2)


@dataclass(frozen=True)
class Made:
    """A table that is computed once and shared; tests must not change it."""

    folder: Path
    rows: list[LossRow]
    steps: list[Step]


@pytest.fixture(name="made", scope="module")
def fixture_made(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder, steps = tmp_path_factory.mktemp("losses") / "out", list[Step]()
    quick = replace(QUICK, data_root=str(root))
    return Made(folder, loss_table(quick, folder, progress=steps.append), steps)


def test_losses_are_compared_with_plain_training_seed_by_seed(made: Made, tmp_path: Path) -> None:
    rows, steps = made.rows, [*made.steps]
    assert [row.loss for row in rows] == ["alone", "diswot", "ce + dkd"]
    assert len([step for step in steps if step.stage == "train"]) == 6
    assert rows[0].gain is None
    assert rows[1].gain == pytest.approx(rows[1].accuracy - rows[0].accuracy)
    assert all(row.p is not None and row.adjusted is not None for row in rows[1:])
    assert all(row.adjusted >= row.p for row in rows[1:])  # type: ignore[operator]
    assert {row.verdict for row in rows[1:]} <= {"better", "worse", "no different"}
    # more losses reuse what was trained
    steps.clear()
    more = replace(QUICK, losses=(*QUICK.losses, "ce + at"))
    shutil.copytree(made.folder, tmp_path / "out")
    again = loss_table(more, tmp_path / "out", progress=steps.append)
    assert [row.accuracy for row in again[:3]] == [row.accuracy for row in rows]
    assert [step.done for step in steps if step.stage == "train"] == [7, 8]


@pytest.mark.processes
def test_the_number_of_workers_does_not_change_the_table(made: Made, tmp_path: Path) -> None:
    assert loss_table(QUICK, tmp_path / "out", workers=2, progress=silent) == made.rows


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"students": ()}, "at least one student"),
        ({"students": ("resnet21",)}, "unknown student 'resnet21'"),
        ({"students": ("s0:9-9-9",)}, "Expected one of 1, 3, 5, 7, but got '9'"),
        ({"losses": ("ce + kdd",)}, "kdd"),
        ({"seeds": 1}, "at least 2 seeds"),
    ],
)
def test_invalid_arguments_are_refused(
    change: dict[str, object], message: str, tmp_path: Path
) -> None:
    with pytest.raises(DiswotError, match=message):
        loss_table(replace(QUICK, **change), tmp_path / "out", progress=silent)  # type: ignore[arg-type]


def test_a_folder_of_other_settings_is_refused(made: Made) -> None:
    with pytest.raises(RunFolderError, match="started with epochs 1, but got 2"):
        loss_table(replace(QUICK, epochs=2), made.folder, progress=silent)


def test_a_shortlist_has_as_many_epochs_as_the_first_student(tmp_path: Path) -> None:
    settings = ShortlistSettings(
        **{**COMMON, "epochs": 2}, scorer="params", max_params=100_000, count=2, seeds=2
    )
    first, listed = shortlist_table(settings, tmp_path / "out", progress=silent)
    assert (first.epochs, first.last_epochs) == (4, 4)
    assert (listed.epochs, listed.last_epochs) == (4, 2)
    assert len(set(first.students.split())) == 1
    assert listed.gain == pytest.approx(listed.accuracy - first.accuracy)


def test_every_published_method_is_a_loss() -> None:
    for loss in METHODS.values():
        parse_objective(loss)


def test_a_pair_is_compared_with_the_published_figures(tmp_path: Path) -> None:
    table = tmp_path / "pairs.csv"
    table.write_text(
        "source,dataset,teacher,student,teacher_acc,student_vanilla_acc,method,student_kd_acc\n"
        "A,CIFAR-100,ResNet20,ResNet8x4,70,60,KD,65\n"
        "B,CIFAR-100,resnet20,resnet8x4,70,61,KD,66\n"
        "A,ImageNet,resnet20,resnet8x4,70,60,AT,65\n"
    )
    printed = published_figures("resnet20", "resnet8x4", table)
    assert {name: (each.source, each.accuracy) for name, each in printed.items()} == {
        "KD": ("A", 65.0),
        "vanilla": ("A", 60.0),
    }
    rows = measure_pair(
        "ResNet20/ResNet8x4",
        ["KD"],
        LossTableSettings(**COMMON, seeds=2),
        tmp_path / "out",
        published=table,
        progress=silent,
    )
    assert [row.published and row.published.accuracy for row in rows] == [60.0, 65.0]
    assert [row.measured.loss for row in rows] == ["alone", METHODS["KD"]]
    assert np.isfinite([row.measured.accuracy for row in rows]).all()


def test_published_pairs_can_be_built(shared_data: Path) -> None:
    rows = [row for row in read_table(shared_data / PAIRS) if row["source"] == "RepDistiller"]
    for teacher, student in sorted({(row["teacher"], row["student"]) for row in rows}):
        assert "KD" in published_figures(teacher, student, shared_data / PAIRS)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["pairs", "--pair", "resnet56"], "Expected a pair TEACHER/STUDENT"),
        (["pairs", "--pair", "resnet56/resnet21"], "Expected a pair TEACHER/STUDENT"),
        (["pairs", "--methods", "KD,KDD"], "unknown method 'KDD'"),
        (["losses", "--students", "resnet21"], "unknown student 'resnet21'"),
        (["losses", "--loss", "ce + + at"], "ce + + at"),
    ],
)
def test_invalid_options_of_the_commands_are_one_line_errors(
    cli: CommandLine, arguments: list[str], message: str
) -> None:
    done = cli("bench", *arguments)
    assert done.code == 2
    assert message in done.err
    assert "Traceback" not in done.err
