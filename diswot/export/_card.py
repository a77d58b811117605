"""The model card: what a student is, what it can do, how it was made, and how to load it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

TEMPLATES = Path(__file__).with_name("templates")


def write_card(config: Mapping[str, Any], sizes: Mapping[str, int]) -> str:
    """Return the text of `README.md`.

    Args:
        config: what `config.json` holds.
        sizes: bytes of the files that it tells of.
    """
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=False,  # noqa: S701  (Markdown, in which nothing comes from outside)
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"rate": _rate, "number": "{:,}".format}
    return environment.get_template("README.md.j2").render(config=config, sizes=sizes)


def _rate(values: Mapping[str, Any], name: str) -> str:
    """Write an accuracy of `values` with its interval, where that is known."""
    written = f"{values[name]:.1%}".replace("%", " %")
    if interval := values.get(f"{name}_95"):
        low, high = interval
        written += f" [{100 * low:.1f}, {100 * high:.1f}]"
    return written
