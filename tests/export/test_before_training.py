"""Students that cannot be exported are refused before any search or training."""

from pathlib import Path

import pytest

import diswot
from diswot.errors import ExportError
from diswot.progress import Step
from search_spaces import SearchSpace
from tests.conftest import CommandLine
from tests.export.spaces import NoForm, NoOnnx


def run(space: SearchSpace, folder: Path, notes: list[str], *, onnx: bool | None = None) -> None:
    """Start a run, which is stopped when it reaches the teacher or the search."""

    def progress(step: Step) -> None:
        if step.stage not in ("data", "export"):
            raise KeyboardInterrupt
        notes.append(step.note)

    diswot.run("resnet20", space, onnx=onnx, out=folder, progress=progress, epochs=1)


@pytest.mark.slow
def test_a_run_whose_students_cannot_be_exported_is_refused(tmp_path: Path) -> None:
    notes: list[str] = []
    with pytest.raises(ExportError, match="cannot be exported in any form"):
        run(NoForm(), tmp_path / "r", notes)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_run_with_an_impossible_export_form_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="cannot be exported as onnx: torch cannot write it"):
        run(NoOnnx(), tmp_path / "r", [], onnx=True)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_run_names_the_export_forms_it_will_omit(tmp_path: Path) -> None:
    notes: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        run(NoOnnx(), tmp_path / "r", notes)
    (note,) = [note for note in notes if "exported" in note]
    assert note.startswith("students of this space cannot be exported as onnx, which is left out")
    assert "linalg_matrix_exp" in note
    assert note.isprintable()


@pytest.mark.slow
def test_a_distillation_names_unavailable_export_forms(cli: CommandLine) -> None:
    space = ("--space", "tests.export.spaces:NoForm", "--arch", "width=4")
    done = cli("distill", *space, "--loss", "alone", "--epochs", "1", "--out", "d")
    assert done.code == 0, done.err
    assert "the student cannot be exported as any form" in done.err
