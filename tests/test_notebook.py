"""Results are tables in notebooks and data frames of pandas."""

import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from diswot.errors import MissingExtraError
from diswot.tabular import Tabular
from diswot.tasks import Measure

NOTEBOOK = Path(__file__).parents[1] / "examples" / "notebook.ipynb"
MEASURE = Measure("accuracy", 0.9, 0.85, 0.95, 100, unit="%")


class Results(Tabular):
    """A result with any rows."""

    def __init__(self, *rows: Mapping[str, Any]) -> None:
        self._rows = rows

    @property
    def caption(self) -> str:
        return "all <of> them."

    def to_records(self) -> Sequence[Mapping[str, Any]]:
        return self._rows


def html_of(result: Tabular) -> str:
    """Return what a notebook shows of a result."""
    formatters = pytest.importorskip("IPython.core.formatters")
    markup: str = formatters.HTMLFormatter()(result)
    return markup


def test_a_notebook_shows_a_table_of_escaped_texts() -> None:
    row = {"name": "<script>x()</script>", "params": 143_000, "test": MEASURE, "failure": None}
    markup = html_of(Results(row, {"name": "b", "score": 0.123456}))
    assert "<script" not in markup
    assert "all &lt;of&gt; them." in markup
    for text in (
        "<td>143,000</td>",
        "<td>90.0 % [85.0, 95.0]</td>",
        "<td>0.1235</td>",
        "<td>–</td>",
    ):
        assert text in markup


def test_long_tables_say_how_many_rows_are_left_out() -> None:
    markup = html_of(Results(*({"number": number} for number in range(25))))
    assert markup.count("<tr>") == 21
    assert "5 more rows are in to_dataframe()" in markup


def test_a_data_frame_has_measures_in_three_columns() -> None:
    pytest.importorskip("pandas")
    frame = Results({"name": "a", "test": MEASURE}, {"name": "b", "test": None}).to_dataframe()
    assert list(frame.columns) == ["name", "test", "test_low", "test_high"]
    assert frame.test_low[0] == 0.85
    assert frame.test.isna().tolist() == [False, True]


def test_a_data_frame_without_pandas_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'diswot\[pandas\]'"):
        Results().to_dataframe()


@pytest.mark.processes
@pytest.mark.slow
def test_the_example_notebook_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    pytest.importorskip("pandas")
    (tmp_path / "data").mkdir()
    for name, value in {"SMALL": "1", "DISWOT_DATA": str(tmp_path / "data")}.items():
        monkeypatch.setenv(name, value)
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    client = nbclient.NotebookClient(
        notebook, timeout=600, resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()
    tables = [
        "".join(output.get("data", {}).get("text/html", "") for output in cell.outputs)
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]
    _, searched, framed, _, trained, exported = tables
    assert "best of" in searched
    assert "<th>score</th>" in searched
    assert "score" in searched.replace("<th>score</th>", ""), "the progress of the search"
    assert "<th>params</th>" in framed
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    assert not [item for item in outputs if 'install "ipywidgets"' in item.get("text", "")]
    (plot,) = filter(None, (item.get("data", {}).get("image/svg+xml") for item in outputs))
    assert "Score against parameters" in plot
    assert "<th>val_accuracy</th>" in trained
    assert "weights.safetensors" in exported or "student.py" in exported
    nbformat.write(notebook, tmp_path / "executed.ipynb")
