"""Write figures as SVG and PNG files."""

from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import ImageFont

from diswot.plots._drawing import style_of_plots, template_environment
from diswot.plots._plot import Figure
from diswot.plots._sheet import arrange
from diswot.runs.folder import replace_content
from diswot.runtimes import installed, require

PIXELS = 2
"""Pixels of a PNG file per unit of the drawing."""

_RENDERER = ("resvg_py",)


def can_write_png() -> bool:
    """Return whether the extra `plots` is installed, which renders PNG files."""
    return installed(_RENDERER)


def require_png() -> None:
    """Make sure that PNG files can be written.

    Raises:
        MissingExtraError: the extra `plots` is not installed.
    """
    require(_RENDERER, "plots", "writing plots as PNG")


def figure_svg(figure: Figure, *, themed: bool = True) -> str:
    """Return a figure as an SVG document; the same figure gives the same text.

    Args:
        figure: the figure.
        themed: whether it follows the light or dark mode of the viewer.

    Examples:
        >>> from diswot.plots import Axis, Dot, Plot, Series
        >>> dots = Series("students", "dots", "front", (Dot(1, 0.8), Dot(2, 0.9)))
        >>> plot = Plot("a", "Accuracy", "", Axis("parameters"), Axis("accuracy"), (dots,))
        >>> figure_svg(Figure.of(plot))[:4]
        '<svg'
    """
    template = template_environment().get_template("sheet.svg.j2")
    return template.render(sheet=arrange(figure), style=style_of_plots(themed=themed))


def write_figure(figure: Figure, folder: Path) -> list[Path]:
    """Write `NAME.svg`, and `NAME.png` if the extra `plots` is installed.

    Returns:
        The paths of the files.
    """
    paths = [folder / f"{figure.name}.svg"]
    replace_content(paths[0], figure_svg(figure).encode("utf-8", "replace"))
    if can_write_png():
        paths.insert(0, folder / f"{figure.name}.png")
        replace_content(
            paths[0], _png(figure_svg(figure, themed=False).encode("utf-8", "replace").decode())
        )
    return paths


def _png(svg: str) -> bytes:
    """Render an SVG document, in the colors of the light mode."""
    import resvg_py

    # Pillow's own font is the last choice: without any font, texts would be left out silently.
    font = ImageFont.load_default(12)
    if not isinstance(font, ImageFont.FreeTypeFont):  # a Pillow that was built without FreeType
        return bytes(resvg_py.svg_to_bytes(svg_string=svg, zoom=PIXELS))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "font.ttf"
        path.write_bytes(font.font_bytes)
        name = str(font.getname()[0])
        return bytes(
            resvg_py.svg_to_bytes(
                svg_string=svg, zoom=PIXELS, font_files=[str(path)], sans_serif_family=name
            )
        )
