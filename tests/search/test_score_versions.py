"""A run resumes with the version of its score that it was started with."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from diswot.errors import OptionError, RunFolderError
from diswot.runs.folder import read_json, write_record
from diswot.search import resume
from tests.search.conftest import lines_of, outcome_of, search, unfinished
from tests.search.spaces import Tiny

pytestmark = pytest.mark.slow


@pytest.fixture(name="old", scope="module")
def fixture_old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a finished run as written when `student_fit_1` was the default."""
    folder = tmp_path_factory.mktemp("old") / "run"
    search(out=folder, scorer="student_fit_1")
    changed(folder, lambda used: used.update(scorer="student_fit"))
    changed(folder, lambda used: used.pop("scorer_versions"))
    return folder


def changed(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    manifest = read_json(folder / "manifest.json")
    change(manifest["settings"])
    write_record(folder / "manifest.json", manifest)


def test_an_old_run_resumes_with_its_score_and_reports_it(old: Path, tmp_path: Path) -> None:
    folder = unfinished(tmp_path / "run", lines_of(old)[:5], old)
    message: list[str] = []
    found = resume(folder, space=Tiny(), progress=lambda step: message.append(step.note))
    assert outcome_of(folder) == outcome_of(old)
    assert set(found.best.terms) == {"filled_width", "root_size", "teacher_alignment"}
    assert [note for note in message if "resumes with student_fit_1" in note]


def test_the_score_of_an_old_run_can_be_named(old: Path, tmp_path: Path) -> None:
    folder = unfinished(tmp_path / "run", lines_of(old)[:5], old)
    with pytest.raises(RunFolderError, match="started with the scorer student_fit_1, but got"):
        resume(folder, space=Tiny(), scorer="student_fit")
    resume(folder, space=Tiny(), scorer="student_fit_1")
    assert outcome_of(folder) == outcome_of(old)


def test_a_new_run_reports_no_older_version(tmp_path: Path) -> None:
    search(out=tmp_path / "new")
    folder = unfinished(tmp_path / "run", lines_of(tmp_path / "new")[:5], tmp_path / "new")
    message: list[str] = []
    resume(folder, space=Tiny(), progress=lambda step: message.append(step.note))
    assert not [note for note in message if "resumes with" in note]
    assert outcome_of(folder) == outcome_of(tmp_path / "new")


def test_an_unknown_version_is_refused(old: Path, tmp_path: Path) -> None:
    folder = unfinished(tmp_path / "run", lines_of(old)[:5], old)
    changed(folder, lambda used: used.update(scorer_versions={"student_fit": 2}))
    with pytest.raises(OptionError, match="the scorer student_fit_2, which is not installed here"):
        resume(folder, space=Tiny())


@pytest.mark.parametrize("versions", [[2], "2", {"student_fit": "x"}, {"student_fit": 2.5}])
def test_damaged_versions_are_refused(old: Path, tmp_path: Path, versions: Any) -> None:
    folder = unfinished(tmp_path / "run", lines_of(old)[:5], old)
    changed(folder, lambda used: used.update(scorer_versions=versions))
    with pytest.raises(RunFolderError, match="scorer_versions is") as refusal:
        resume(folder, space=Tiny())
    assert "\n" not in str(refusal.value)


def test_every_score_of_an_expression_has_its_version(tmp_path: Path) -> None:
    search(out=tmp_path / "old", scorer="student_fit_1+params")
    changed(tmp_path / "old", lambda used: used.update(scorer="student_fit+params"))
    changed(tmp_path / "old", lambda used: used.pop("scorer_versions"))
    folder = unfinished(tmp_path / "run", lines_of(tmp_path / "old")[:5], tmp_path / "old")
    resume(folder, space=Tiny())
    assert outcome_of(folder) == outcome_of(tmp_path / "old")
