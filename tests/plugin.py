"""A package of someone else's that offers something under an entry point."""

import os
import subprocess
import sys
from pathlib import Path


def offer(folder: Path, *, group: str, code: str) -> None:
    """Write a package that is installed where `folder` is on the path."""
    (folder / "offering.py").write_text(code)
    about = folder / "offering-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: offering\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[{group}]\noffered = offering\n")


def said_with_plugin(ask: str, folder: Path, *, group: str, code: str) -> str:
    """Return what the program `ask` prints, in a process that finds such a package installed.

    Args:
        ask: a Python program.
        folder: where the package is written.
        group: the entry points that it offers its only module under.
        code: of that module.
    """
    offer(folder, group=group, code=code)
    done = subprocess.run(
        [sys.executable, "-c", ask],
        env=os.environ | {"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout
