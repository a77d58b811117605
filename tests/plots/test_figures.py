"""One figure gives SVG elements on a page, an SVG file and a PNG file."""

import io
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image, ImageChops

from diswot.errors import MissingExtraError
from diswot.plots import (
    Axis,
    Dot,
    Figure,
    Plot,
    Series,
    figure_svg,
    lay_out,
    require_png,
    write_figure,
)

MEASURED = (Dot(1e5, 0.8, y_interval=(0.7, 0.85)), Dot(3e5, 0.9, y_interval=(0.85, 0.95)))
PLOT = Plot(
    "students",
    "Accuracy of <students> & teacher",
    "",
    Axis("parameters"),
    Axis("accuracy"),
    (
        Series("quartiles", "band", "line-2", MEASURED),
        Series("median", "line", "line-2", MEASURED),
        Series("teacher", "level", "limit", (Dot(0, 0.93),)),
        Series("budget", "limit", "limit", (Dot(2e5, 0),)),
        Series("students", "dots", "front", MEASURED),
        Series("others", "dots", "plain", (Dot(1e5, 0.6), Dot(2e5, 0.65))),
    ),
)
RANKED = Plot(
    "ranked",
    "",
    "",
    Axis("τ", limits=(-1, 1)),
    Axis("", categories=("params", "student_fit")),
    (Series("scores", "dots", "line-1", (Dot(0.2, 0), Dot(0.6, 1, x_interval=(0.5, 0.7)))),),
)
SVG = "{http://www.w3.org/2000/svg}"


def test_an_svg_file_has_every_text_and_series() -> None:
    found = ElementTree.fromstring(figure_svg(Figure("both", (PLOT, RANKED), "Two plots", 2)))
    texts = {each.text for each in found.iter(f"{SVG}text")}
    assert {"Two plots", PLOT.title, "parameters", "accuracy", "student_fit", "100k"} <= texts
    keys = {each.text for each in found.iter(f"{SVG}text") if each.get("class") == "key"}
    assert keys == {"quartiles", "median", "teacher", "budget", "students", "others", "scores"}
    kinds = {str(each.get("class")).split()[0] for each in found.iter(f"{SVG}path")}
    assert {"area", "line", "spots", "whisker", "grid", "axis"} <= kinds


def test_every_mark_lies_within_its_axes() -> None:
    paper = lay_out(PLOT)
    numbers = [
        tuple(map(float, pair))
        for mark in paper.marks
        for pair in re.findall(r"[ML]([\d.]+) ([\d.]+)", mark.path)
    ]
    assert numbers
    assert all(
        paper.left <= x <= paper.right and paper.top <= y <= paper.bottom for x, y in numbers
    )


def test_files_are_the_same_again_and_follow_the_mode(tmp_path: Path) -> None:
    pytest.importorskip("resvg_py")
    figure = Figure.of(PLOT)
    paths = write_figure(figure, tmp_path)
    assert [path.name for path in paths] == ["students.png", "students.svg"]
    first = [path.read_bytes() for path in paths]
    assert [path.read_bytes() for path in write_figure(figure, tmp_path)] == first
    assert b"prefers-color-scheme: dark" in first[1]
    assert b"http" not in first[1].replace(b"http://www.w3.org/2000/svg", b"")


def test_a_png_has_the_colors_and_the_text_of_the_figure(tmp_path: Path) -> None:
    pytest.importorskip("resvg_py")
    with Image.open(io.BytesIO(write_figure(Figure.of(PLOT), tmp_path)[0].read_bytes())) as image:
        pixels = image.convert("RGB")
    assert min(pixels.size) > 600
    colors = {color for _, color in pixels.getcolors(2**20) or ()}
    assert {(28, 96, 173), (255, 255, 255)} <= colors, "the color of the students, and the ground"
    title = pixels.crop((0, 0, pixels.width, 60))
    assert ImageChops.invert(title).getbbox() is not None, "the title is drawn"


def test_png_without_its_extra_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("diswot.plots._files._RENDERER", ("not_there",))
    assert [path.suffix for path in write_figure(Figure.of(PLOT), tmp_path)] == [".svg"]
    with pytest.raises(MissingExtraError, match=r"diswot\[plots\]"):
        require_png()
