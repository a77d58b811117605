"""Several runs on one page and in one table, through their task's own metric names."""

import html
import json
import re
import shutil
from pathlib import Path

import pytest

import diswot
from diswot.errors import OptionError
from diswot.report import compare_runs
from tests.cli.conftest import only_line
from tests.conftest import CommandLine
from tests.edits import edit

pytestmark = pytest.mark.processes


def text_of(page: Path) -> str:
    """Return the page's text without tags, scripts and styles, in single spaces."""
    markup = re.sub(r"<(script|style).*?</\1>", " ", page.read_text(encoding="utf-8"), flags=re.S)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", markup)).split())


@pytest.fixture(scope="session")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a search with another scorer; it must stay as it is."""
    folder = tmp_path_factory.mktemp("searched") / "by-size"
    diswot.search(
        *("resnet20", "s0"),
        budget=diswot.Budget(params=150_000),
        population=4,
        generations=0,
        scorer="params",
        out=folder,
        device="cpu",
    )
    return folder


@pytest.fixture
def again(run_folder: Path, tmp_path: Path) -> Path:
    """Return a copy of a finished run with another seed in its manifest."""
    folder = Path(shutil.copytree(run_folder, tmp_path / "again"))
    edit(folder / "manifest.json", lambda content: content["settings"].update(seed=7))
    return folder


def test_a_page_has_students_settings_fronts_and_curves(
    run_folder: Path, again: Path, tmp_path: Path
) -> None:
    found = compare_runs([run_folder, again], out=tmp_path / "page.html")
    page = found.page.read_text(encoding="utf-8")
    text = text_of(found.page)
    assert found.differences == {"seed": ["0", "7"]}
    assert "seed 0 7" in text
    result = diswot.load_run(run_folder)
    for row in found.rows:
        assert row.test is not None
        assert row.test.brief.replace(" ", "\N{NO-BREAK SPACE}") in page
        assert row.params == next(c.params for c in result.candidates if c.name == row.architecture)
    for title in ("Pareto fronts of score and parameters", "Best score so far", "Trained students"):
        assert title in text
    assert page.count('class="whisker"') == 6, "three trainings of each run"
    assert "http" not in re.sub(r'(xmlns="|http-equiv)[^ ]*', "", page.split("</head>")[1])


def test_scores_of_different_scales_become_ranks(
    run_folder: Path, searched: Path, tmp_path: Path
) -> None:
    found = compare_runs([run_folder, searched], out=tmp_path / "page.html")
    text = text_of(found.page)
    assert found.rows[1].test is None
    assert "No student was trained in by-size." in found.notes
    assert "Candidates of the run outscored, %" in text
    assert found.differences["scorer"] == ["student_fit", "params"]


def test_the_table_fits_80_columns_where_it_is_piped(
    cli: CommandLine, run_folder: Path, again: Path, searched: Path, tmp_path: Path
) -> None:
    out = tmp_path / "page.html"
    outcome = cli("compare", run_folder, again, searched, "--out", out)
    assert outcome.code == 0, outcome.err
    tables = outcome.out.split("note: ")[0]
    assert all(len(line) <= 80 for line in tables.splitlines())
    assert "test accuracy" in tables
    assert "note: No student was trained in by-size." in outcome.out
    assert f"Wrote {out}" in outcome.out
    printed = json.loads(cli("compare", run_folder, again, "--out", out, "--json").out)
    assert [run["run"] for run in printed["runs"]] == ["run", "again"]


def test_metrics_of_another_task_keep_their_name(
    run_folder: Path, again: Path, tmp_path: Path
) -> None:
    def landmarks(content: dict[str, object]) -> None:
        measure = {"name": "NME", "value": 0.04, "low": 0.03, "high": 0.05, "n": 9, "unit": ""}
        measure["higher_is_better"] = False
        content["val"] = measure
        content["metrics"]["test"] = measure  # type: ignore[index]

    for folder in (run_folder, again):
        edit(folder / "manifest.json", lambda found: found["settings"].update(task="landmarks"))
        for report in folder.glob("distill/*/report.json"):
            edit(report, landmarks)
    text = text_of(compare_runs([run_folder, again], out=tmp_path / "page.html").page)
    assert "test NME" in text
    assert "Test NME, lower is better" in text
    assert "accuracy" not in text


def refusal(cli: CommandLine, *runs: Path) -> str:
    """Return the one line with which a comparison is refused; no page may be written."""
    line = only_line(cli("compare", *runs))
    assert not Path("comparison.html").exists()
    return line


def test_runs_of_different_tasks_are_refused(
    cli: CommandLine, run_folder: Path, again: Path
) -> None:
    edit(again / "manifest.json", lambda found: found["settings"].update(task="text"))
    line = refusal(cli, run_folder, again)
    assert "different tasks" in line
    assert str(run_folder) in line
    assert str(again) in line


def test_an_unfinished_run_is_refused(cli: CommandLine, run_folder: Path, again: Path) -> None:
    (again / "result.json").unlink()
    assert f"{again} did not finish" in refusal(cli, run_folder, again)


def test_a_folder_that_is_not_a_run_is_refused(
    cli: CommandLine, run_folder: Path, tmp_path: Path
) -> None:
    assert str(tmp_path) in refusal(cli, run_folder, tmp_path)
    assert list(tmp_path.glob(".lock")) == []


def test_fewer_than_two_runs_are_refused(cli: CommandLine, run_folder: Path) -> None:
    assert "at least two" in refusal(cli, run_folder)
    assert "given twice" in refusal(cli, run_folder, run_folder / ".." / run_folder.name)


def test_a_file_that_is_not_a_comparison_is_kept(
    run_folder: Path, again: Path, tmp_path: Path
) -> None:
    out = tmp_path / "thesis.html"
    out.write_text("<p>mine")
    with pytest.raises(diswot.DiswotError, match="already exists"):
        compare_runs([run_folder, again], out=out)
    assert out.read_text() == "<p>mine"


def test_names_from_folders_are_text(run_folder: Path, again: Path, tmp_path: Path) -> None:
    attack = "</title><script>x()<!script>"
    hostile = again.rename(tmp_path / attack.replace("/", "∕"))
    page = compare_runs([run_folder, hostile], out=tmp_path / "page.html").page
    assert page.read_text(encoding="utf-8").count("<script") == 2


def test_nothing_in_the_runs_is_changed(run_folder: Path, again: Path, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    compare_runs([run_folder, again], out=tmp_path / "page.html")
    after = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    del after[tmp_path / "page.html"]
    assert after == before
    with pytest.raises(OptionError, match="at least two"):
        compare_runs([run_folder])
