"""Tables of studies, and their manifests."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from benchmarks import results_folder
from benchmarks.results_folder import keep
from diswot.bench.trainings import Trainings
from diswot.progress import silent


@dataclass(frozen=True)
class Row:
    """A row of a table."""

    value: float


def one(own: dict[str, Any], task: tuple[int]) -> dict[str, Any]:
    return {"seed": task[0], **own}


@pytest.fixture
def manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(results_folder, "RESULTS", tmp_path)
    return tmp_path / "study.manifest.json"


def test_seconds_are_those_of_all_records(tmp_path: Path, manifest: Path) -> None:
    work = tmp_path / "work"
    for count in (1, 3):  # the second run resumes the first
        trainings = Trainings({"seeds": 3}, work / "students", key=["seed"])
        run = partial(one, {"seconds": 7.5})
        trainings.run(
            [(seed,) for seed in range(count)], run, before=dict, workers=1, progress=silent
        )
    keep("study", [Row(1.0)], {"seeds": 3}, datetime.now(UTC), work=work)
    known = json.loads(manifest.read_text())
    assert known["seconds"] == 22.5
    assert "untimed_records" not in known


def test_seconds_of_trainings_are_recorded(tmp_path: Path) -> None:
    run = partial(one, {})
    trainings = Trainings({}, tmp_path / "work", key=["seed"])
    records = trainings.run([(0,)], run, before=dict, workers=1, progress=silent)
    assert records[0,]["seconds"] >= 0


def test_seconds_without_records_are_those_since_the_start(manifest: Path, tmp_path: Path) -> None:
    started = datetime.now(UTC) - timedelta(seconds=90)
    keep("study", [Row(1.0)], {}, started, work=tmp_path / "missing")
    assert 90 <= json.loads(manifest.read_text())["seconds"] < 120
