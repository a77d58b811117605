"""Figures as data, drawn once as SVG: on HTML pages, and in SVG and PNG files."""

from diswot.plots._drawing import style_of_plots, template_environment
from diswot.plots._files import can_write_png, figure_svg, require_png, write_figure
from diswot.plots._layout import Paper, lay_out
from diswot.plots._plot import About, Axis, Dot, Figure, Plot, Series
from diswot.plots._scale import count, unit_of, wants_log

__all__ = [
    "About",
    "Axis",
    "Dot",
    "Figure",
    "Paper",
    "Plot",
    "Series",
    "can_write_png",
    "count",
    "figure_svg",
    "lay_out",
    "require_png",
    "style_of_plots",
    "template_environment",
    "unit_of",
    "wants_log",
    "write_figure",
]
