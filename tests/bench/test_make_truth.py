"""Ground truths that are made by training every network."""

from dataclasses import replace
from pathlib import Path

import pytest
from torch import nn

from diswot.bench.make_truth import TruthSettings, make_truth
from diswot.bench.record_store import RECORDS
from diswot.csv_table import read_table
from diswot.errors import DiswotError, OptionError, RunFolderError
from diswot.progress import Step, silent
from search_spaces import Architecture, Choice, ChoiceSpace
from tests.conftest import CommandLine

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("data_root")]

QUICK = TruthSettings(
    teacher="resnet20",
    teacher_epochs=1,
    train_images=20,
    epochs=1,
    batch_size=10,
    seeds=1,
    sample=2,
    force=True,
)


@pytest.mark.processes
def test_a_ground_truth_is_made_and_resumed(tmp_path: Path) -> None:
    out = tmp_path / "truth"
    rows = make_truth(QUICK, out, progress=silent)
    assert [dict(row) for row in read_table(out / "truth.csv")] == [
        {name: str(value) for name, value in vars(row).items()} for row in rows
    ]
    assert all(0 < row.vanilla < 100 and 0 < row.distilled < 100 for row in rows)
    journal = out / RECORDS
    lines = journal.read_text().splitlines(keepends=True)
    journal.write_text("".join(lines[:3]) + lines[3][:9])  # killed while it wrote
    trained: list[Step] = []
    assert make_truth(QUICK, out, workers=2, progress=trained.append) == rows
    assert [step.done for step in trained] == [4]


def test_resuming_with_other_settings_is_refused(tmp_path: Path) -> None:
    make_truth(QUICK, tmp_path / "truth", progress=silent)
    with pytest.raises(RunFolderError, match="started with epochs 1, but got 2"):
        make_truth(replace(QUICK, epochs=2), tmp_path / "truth", progress=silent)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sample": 65}, "at most the 64 architectures"),
        ({"space": "macro-basic", "sample": None}, "cannot be enumerated: give --sample"),
        ({"seeds": 0}, "at least 1 seed"),
        ({"space": "s1"}, "unknown space"),
        ({"data": "digit"}, "did you mean 'digits'"),
    ],
)
def test_invalid_arguments_are_refused_before_any_training(
    change: dict[str, object], message: str, tmp_path: Path
) -> None:
    with pytest.raises(DiswotError, match=message):
        make_truth(replace(QUICK, **change), tmp_path / "truth", progress=silent)  # type: ignore[arg-type]
    assert not (tmp_path / "truth").exists()


class Alike(ChoiceSpace):
    """A space of four architectures that build only two different networks."""

    width = Choice(2, 4)
    name = Choice("a", "b")

    def canonical_key(self, arch: Architecture) -> str:
        return str(arch.width)

    def build(self, arch: Architecture, num_classes: int) -> nn.Module:
        pooled = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        return nn.Sequential(
            nn.Conv2d(1, arch.width, 3), pooled, nn.Linear(arch.width, num_classes)
        )


def test_a_sample_larger_than_the_space_is_refused(tmp_path: Path) -> None:
    settings = replace(QUICK, space=f"{__name__}:Alike", sample=3)
    with pytest.raises(OptionError, match=r"different networks of .*, but only 2 were found"):
        make_truth(settings, tmp_path / "truth", progress=silent)


def test_the_command_suggests_the_next_command(cli: CommandLine, tmp_path: Path) -> None:
    done = cli(
        "bench", "make-truth", "--teacher", "resnet20", "--teacher-epochs", 1,
        "--train-images", 20, "--epochs", 1, "--seeds", 1, "--sample", 2, "--force",
        "--out", tmp_path / "truth",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert "2 best of 2 when distilled" in done.out
    assert "Next: diswot bench correlation --truth" in done.out
