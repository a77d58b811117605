"""`diswot init`: write a config file for a folder of photos."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from diswot.cli._declared import Folder
from diswot.cli._terminal import say
from diswot.errors import RunFolderError
from diswot.printable import printable
from diswot.runs.config import as_toml
from diswot.runs.folder import replace_content

if TYPE_CHECKING:
    from diswot.tasks.images import Look

_UNEVEN = 3
"""Ratio of the largest to the smallest class from which imbalance is reported."""


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--out", type=Folder(), default="run.toml", show_default=True, help="The file.")
def init(folder: Path, out: Path) -> None:
    """Inspect a FOLDER of photos, one folder per class, and write a configuration file.

    The file has comments on the options to change; `diswot run --config` reads it.

    Example: diswot init photos/
    """
    from diswot.tasks.images import look_at

    if out.exists():
        raise RunFolderError(f"{out} already exists: name another file with --out")
    look = look_at(folder)
    text = "\n\n".join(_paragraphs(folder, look, out)) + "\n"
    try:
        replace_content(out, text.encode())
    except OSError as error:
        raise RunFolderError(f"{out} cannot be written: {error.strerror}") from error
    say(f"Wrote {out}: {_counted(look)}")
    say(f"Next: diswot run --config {out}")


def _paragraphs(folder: Path, look: Look, out: Path) -> list[str]:
    """Return the paragraphs of the file: options, each with a comment."""
    return [
        f"# diswot run --config {out} finds a student for these photos, distills and exports it.\n"
        f"# {_counted(look)}.",
        *(
            ["\n".join(f"# {printable(line, keep='')}" for line in _remarks(look))]
            if _remarks(look)
            else []
        ),
        as_toml({"data": str(folder.resolve())}),
        f"# Image size in pixels. The shorter side of a typical photo has {look.side}. Half the\n"
        f"# size takes a quarter of the time; details that distinguish the classes must remain.\n"
        + as_toml({"image_size": look.image_size}),
        "# The teacher: a built-in network, trained on these photos first; or one of yours,\n"
        '# such as "hf:FOLDER", "timm:NAME" or "torchvision:NAME" (diswot list teachers).\n'
        + as_toml({"teacher": "resnet56"}),
        "# The students: networks of inverted residuals (diswot list spaces), and what one may\n"
        "# cost. A limit in milliseconds is measured on this machine.\n"
        + as_toml({"space": "mobile-small", "max_params": 300_000})
        + "\n# max_latency_ms = 5.0",
        "# Passes over the training images: more take longer and give better results.\n"
        + as_toml({"epochs": 20 if look.counts["train"] > 10_000 else 60}),
        as_toml({"seed": 0}),
    ]


def _counted(look: Look) -> str:
    """Return a summary: numbers of images and classes, gray or color."""
    counts = ", ".join(f"{count:,} {split}" for split, count in look.counts.items())
    kind = "gray" if look.gray else "color"
    return f"{counts} images of {len(look.classes)} classes, {kind}"


def _remarks(look: Look) -> list[str]:
    """Return remarks on the photos, such as class imbalance."""
    (small, few), (large, many) = look.smallest, look.largest
    uneven = few * _UNEVEN < many
    result = f"The class {large!r} has {many:,} training images and {small!r} only {few:,}."
    return [*([result] if uneven else []), *look.notes]
