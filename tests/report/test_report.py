"""Content and files of a report."""

import csv
import html
import json
import re
import shutil
from pathlib import Path

import pytest
from PIL import Image

import diswot
from diswot.report import write_report
from tests.cli.faulty import OneRaises
from tests.edits import edit, replace_text

pytestmark = pytest.mark.processes


def text_of(page: Path) -> str:
    """Return the page's text without tags, scripts and styles, in single spaces."""
    markup = re.sub(r"<(script|style).*?</\1>", " ", page.read_text(encoding="utf-8"), flags=re.S)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", markup)).split())


def test_a_report_contains_all_results_of_a_run(run_folder: Path) -> None:
    page = text_of(write_report(run_folder, plots=False).page)
    result = diswot.load_run(run_folder)
    manifest = json.loads((run_folder / "manifest.json").read_text())
    for section in ("Winner", "Score against cost", "Convergence", "Distillation", "Failures"):
        assert section in page
    assert result.best.name in page
    assert manifest["data"]["sha256"] in page
    assert manifest["versions"]["torch"] in page
    source = manifest["settings"].pop("data_source")
    assert f"data_source.root {source['root']}" in page
    (version,) = manifest["settings"].pop("scorer_versions").items()
    assert "scorer_versions.{} {}".format(*version) in page
    for name, value in manifest["settings"].items():
        written = value if isinstance(value, str) else json.dumps(value)
        assert f"{name} {'–' if value is None else written}" in page
    for step in ("distill", "export"):
        assert f"diswot {step} {run_folder}" in page
    for file in ("student.py", "weights.safetensors"):
        assert file in page


def test_the_curves_equal_the_metrics_files(run_folder: Path) -> None:
    page = write_report(run_folder, plots=False).page.read_text(encoding="utf-8")
    abouts = json.loads(page.split('id="abouts">')[1].split("</script>")[0])
    epochs = [dict(each["facts"]) for each in abouts if each["title"] == "alone"]
    with (run_folder / "distill" / "alone" / "metrics.csv").open(newline="") as file:
        accuracies = [float(row["val_accuracy"]) for row in csv.DictReader(file)]
    assert [each["validation accuracy"] for each in epochs] == [
        f"{100 * accuracy:.1f}\N{NO-BREAK SPACE}%" for accuracy in accuracies
    ]


def test_every_candidate_is_a_dot_of_every_plot_of_scores(run_folder: Path) -> None:
    page = write_report(run_folder, plots=False).page.read_text(encoding="utf-8")
    plots = re.findall(r'<svg class="plot".*?</svg>', page, re.DOTALL)[:3]
    result = diswot.load_run(run_folder)
    for plot in plots:
        named = {html.unescape(label).split(";")[0] for label in re.findall(r"<title>(.*?)<", plot)}
        assert named >= {candidate.name for candidate in result.ranking}


def test_the_diagram_has_all_parameters_of_the_network(run_folder: Path) -> None:
    page = text_of(write_report(run_folder, plots=False).page)
    assert "16×16, 16 channels" in page
    assert "BasicBlock" in page
    assert "10 values Linear 650 parameters" in page


def test_the_same_run_gives_the_same_files(run_folder: Path, tmp_path: Path) -> None:
    first = {path: path.read_bytes() for path in write_report(run_folder, plots=True).paths}
    again = {path: path.read_bytes() for path in write_report(run_folder, plots=True).paths}
    assert again == first


def test_every_plot_is_written_as_png_and_svg(run_folder: Path) -> None:
    written = write_report(run_folder, plots=True)
    names = {
        "score-params",
        "score-macs",
        "convergence",
        "distillation-accuracy",
        "distillation-loss",
    }
    assert {path.stem for path in written.plots} >= names
    assert {path.parent for path in written.plots} == {run_folder / "report"}
    for path in written.plots:
        if path.suffix == ".png":
            with Image.open(path) as image:
                assert min(image.size) > 300
        else:
            assert path.read_text(encoding="utf-8").rstrip().endswith("</svg>")


def test_a_report_of_a_search_has_no_distillation_section(run_folder: Path) -> None:
    shutil.rmtree(run_folder / "distill")
    shutil.rmtree(run_folder / "student")
    page = write_report(run_folder, plots=False).page.read_text(encoding="utf-8")
    assert 'id="distillation"' not in page
    assert 'id="student"' not in page


def test_failures_and_relative_scores_are_reported(own_run: Path) -> None:
    page = text_of(write_report(own_run, plots=False).page)
    assert "1 of 4 candidates have no score because their evaluation failed" in page
    assert "this one cannot be" in page
    assert "width=4" in page
    assert "Scores are relative" in page
    assert "Score within this search" in page


def test_networks_of_a_user_space_are_drawn_if_it_is_given(own_run: Path) -> None:
    without = text_of(write_report(own_run, plots=False).page)
    assert "The space OneRaises is not built in" in without
    page = text_of(write_report(own_run, space=OneRaises(), plots=False).page)
    assert "width 2 4 6 8 (chosen)" in page
    assert "AdaptiveAvgPool2d" in page


def test_a_report_does_not_import_code_named_in_the_run(own_run: Path, tmp_path: Path) -> None:
    named = {"space": "antigravity:Space"}
    edit(own_run / "manifest.json", lambda content: content["settings"].update(named))
    assert "antigravity:Space" in text_of(write_report(own_run, plots=False).page)


@pytest.mark.parametrize("attack", ["</script><script>x()</script>", "<!--", "]]>", "\u2028&#39;"])
def test_data_in_the_page_cannot_close_its_script_tag(own_run: Path, attack: str) -> None:
    for file in ("journal.jsonl", "result.json"):
        replace_text(own_run / file, ("width=8", json.dumps(attack)[1:-1]))
    page = write_report(own_run, plots=False).page.read_text(encoding="utf-8")
    data = page.split('id="abouts">')[1].split("</script>")[0]
    assert attack in {each["title"] for each in json.loads(data)}
    assert page.count("<script") == 2


def test_the_student_has_metrics_per_class(run_folder: Path) -> None:
    page = text_of(write_report(run_folder, plots=False).page)
    assert "Balanced accuracy" in page
    assert "Confusion matrix" in page
    config = json.loads((run_folder / "student" / "config.json").read_text())
    assert sum(row["examples"] for row in config["test_classes"]["per_class"]) == 1297
    assert "## Per class" in (run_folder / "student" / "README.md").read_text()
