"""Templates and styles with which plots are drawn, on pages and in files."""

import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

FIGURE_TEMPLATES = Path(__file__).parent / "templates"
"""Folder of `drawing.svg.j2`, whose macros draw a laid-out plot as SVG elements."""

LIGHT = {
    "paper": "#f7f7f5",
    "card": "#ffffff",
    "ink": "#1b1e22",
    "quiet": "#59616b",
    "rule": "#dfe2e6",
    "plain": "#7d8896",
    "front": "#1c60ad",
    "winner": "#c2410c",
    "choice": "#6b3fa0",
    "green": "#1a7f4e",
    "gold": "#8a6a00",
    "face": "#d7e5f5",
    "top": "#eaf2fb",
    "side": "#a9c7e8",
    "tint": "#fdf1ea",
}
"""Colors in light mode."""

DARK = {
    "paper": "#14171a",
    "card": "#1d2125",
    "ink": "#e8ebee",
    "quiet": "#a4adb7",
    "rule": "#353c44",
    "plain": "#8591a0",
    "front": "#7db4f5",
    "winner": "#ff9a63",
    "choice": "#c3a2f2",
    "green": "#6fcf9b",
    "gold": "#dfbd55",
    "face": "#2f4d6e",
    "top": "#3f648c",
    "side": "#223a54",
    "tint": "#35271f",
}
"""Colors in dark mode."""


def style_of_plots(*, themed: bool = True) -> str:
    """Return the style sheet of plots.

    Args:
        themed: whether colors are variables that follow the light or dark mode of the viewer;
            otherwise those of the light mode are inserted, for renderers without variables.
    """
    rules = (FIGURE_TEMPLATES / "plot.css").read_text(encoding="utf-8")
    if not themed:
        return re.sub(r"var\(--(\w+)\)", lambda match: LIGHT[match[1]], rules)
    light, dark = (
        ":root { " + " ".join(f"--{name}: {color};" for name, color in colors.items()) + " }"
        for colors in (LIGHT, DARK)
    )
    return f"{light}\n@media (prefers-color-scheme: dark) {{ {dark} }}\n{rules}"


def template_environment(*folders: Path) -> Environment:
    """Return templates that can import `drawing.svg.j2`, from more folders if given.

    Undefined variables raise, and texts are escaped, as names in run folders are untrusted.
    """
    return Environment(
        loader=FileSystemLoader([*folders, FIGURE_TEMPLATES]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
