"""The table of formats is measured in one or several environments."""

from pathlib import Path

import pytest

import diswot
from benchmarks.device_formats import FormatSettings, format_rows
from diswot.progress import silent
from diswot.search import find_space
from diswot.students import build_student

SETTINGS = FormatSettings({"s0": "1-1-1"}, rounds=1, passes=3)


@pytest.mark.slow
@pytest.mark.processes
def test_each_format_has_accuracy_time_and_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("onnxruntime")
    data = diswot.load_data("digits")
    space = find_space("s0", data.signature)
    student = build_student(space, space.from_string("1-1-1"), data.signature, seed=0)
    diswot.export(student, tmp_path / "s0", data=data, formats=["source"])
    here = "benchmarks.device_formats.installed_formats"
    monkeypatch.setattr(here, lambda: ["source", "onnx"])
    rows = format_rows(SETTINGS, tmp_path, progress=silent)
    assert [(row.format, row.params) for row in rows] == [("source", 77_754), ("onnx", 77_754)]
    assert rows[0].accuracy == rows[1].accuracy
    assert rows[1].relative == 1
    assert min(row.milliseconds or 0 for row in rows) > 0
    assert rows[1].runtime.startswith("onnxruntime ")
    # another environment adds a format and leaves the other rows as they are
    monkeypatch.setattr(here, lambda: ["onnx", "pt2"])
    again = format_rows(SETTINGS, tmp_path, progress=silent)
    assert [row.format for row in again] == ["source", "pt2", "onnx"]
    assert [row for row in again if row.format != "pt2"] == rows
