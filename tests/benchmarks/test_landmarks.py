"""Landmark tables on networks with a few hundred parameters."""

from pathlib import Path

import pytest

from benchmarks.landmarks import LOSSES, SCORES, LandmarkSettings, landmark_tables
from diswot.errors import OptionError


@pytest.mark.slow
def test_tables_compare_losses_and_rank_students(tmp_path: Path) -> None:
    settings = LandmarkSettings(
        data_root=str(tmp_path),
        student="width=4",
        space="tests.tasks.landmarks.small:Small",
        teacher_epochs=1,
        epochs=1,
        seeds=2,
        students=3,
        force=True,
    )
    losses, students, ranks = landmark_tables(settings, tmp_path / "work")
    assert [row.network for row in losses[:2]] == ["tough", "tolerant"]
    assert [row.loss for row in losses[2:]] == [*LOSSES]
    assert [row.gain is None for row in losses] == [True, True, True, False, False, False, False]
    assert {student.student for student in students} == {"width=4", "width=6", "width=8"}
    assert [row.score for row in ranks] == [*SCORES]
    assert all(-1 <= row.tau.low <= row.tau.value <= row.tau.high <= 1 for row in ranks)
    assert landmark_tables(settings, tmp_path / "work") == (losses, students, ranks)  # resumed


def test_a_single_seed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"and 3 students \(or none\), but got 1 and 24"):
        landmark_tables(LandmarkSettings(seeds=1), tmp_path)
