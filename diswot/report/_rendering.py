"""Render pages from templates: plots, tooltips, style and script on one page."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from diswot.plots import About, Plot, count, lay_out, style_of_plots, template_environment
from diswot.report import _numbers
from diswot.report._measures import written_score
from diswot.runs.folder import replace_content

TEMPLATES = Path(__file__).parent / "templates"


def render(
    template: str,
    values: Mapping[str, Any],
    plots: Mapping[str, Sequence[Plot]],
    *,
    refresh: int | None = None,
) -> str:
    """Return a self-contained HTML page; the same values give an identical page.

    Args:
        template: name of a template that extends `base.html.j2`.
        values: further variables of the template.
        plots: variable of the template → plots, which it gets laid out.
        refresh: seconds after which a browser loads the page again; `None` for never.
    """
    # Points of all plots share one list of tooltips, numbered here.
    abouts = dict.fromkeys(a for group in plots.values() for plot in group for a in plot.abouts())
    numbers: dict[About, int] = {about: number for number, about in enumerate(abouts)}
    style = Markup(style_of_plots()) + _source("style.css")  # noqa: S704  (our own files)
    script = _source("script.js")
    page: str = (
        _environment()
        .get_template(template)
        .render(
            values,
            **{name: [lay_out(item, numbers) for item in group] for name, group in plots.items()},
            abouts=[{"title": about.title, "facts": about.facts} for about in numbers],
            style=style,
            script=script,
            style_hash=_hash(style),
            script_hash=_hash(script),
            version=version("diswot"),
            refresh=refresh,
        )
    )
    return page


def save_page(path: Path, page: str) -> None:
    """Write a page atomically; characters that are not valid in UTF-8 are replaced."""
    replace_content(path, page.encode("utf-8", "replace"))


def _environment() -> Environment:
    environment = template_environment(TEMPLATES)
    writers = ("interval", "milliseconds", "percent", "seconds", "signed", "size", "value")
    environment.filters |= {name: getattr(_numbers, name) for name in writers}
    environment.filters |= {"count": count, "score": written_score}
    return environment


def _source(name: str) -> Markup:
    """Return the content of one of our own files without escaping."""
    return Markup((TEMPLATES / name).read_text(encoding="utf-8"))  # noqa: S704


def _hash(source: str) -> str:
    """Return the hash of a script or style for the page's Content-Security-Policy."""
    return "sha256-" + base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
