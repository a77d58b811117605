"""Texts of the exported folder, from templates."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

TEMPLATES = Path(__file__).with_name("templates")


def render(name: str, **values: Any) -> str:
    """Return the text of a template.

    Args:
        name: its file in `templates/`.
        **values: what it names.
    """
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=False,  # noqa: S701  (Markdown and Python, written for no browser)
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"rate": _rate, "number": "{:,}".format, "repr": repr}
    return environment.get_template(name).render(**values)


def _rate(values: Mapping[str, Any], name: str) -> str:
    """Write an accuracy of `values` with its interval, where that is known."""
    written = f"{values[name]:.1%}".replace("%", " %")
    if interval := values.get(f"{name}_95"):
        low, high = interval
        written += f" [{100 * low:.1f}, {100 * high:.1f}]"
    return written
