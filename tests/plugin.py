"""A third-party package with an entry point."""

import os
import subprocess
import sys
from pathlib import Path


def offer(folder: Path, *, group: str, code: str) -> None:
    """Write a package that counts as installed if `folder` is on the path."""
    (folder / "offering.py").write_text(code)
    about = folder / "offering-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: offering\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[{group}]\noffered = offering\n")


def said_with_plugin(ask: str, folder: Path, *, group: str, code: str) -> str:
    """Return the output of the program `ask` in a process with such a package installed.

    Args:
        ask: a Python program.
        folder: the folder that the package is written to.
        group: the entry point group of its only module.
        code: the source code of that module.
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
