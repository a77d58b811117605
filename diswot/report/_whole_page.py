"""The page of a run whose method has its own stages."""

from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path

from diswot.methods import Section, WholeRun, read_method_manifest
from diswot.plots import Plot
from diswot.report._provenance import facts
from diswot.report._rendering import render

PARTS = ("settings", "own", "options", "versions")
"""Parts of the manifest that the page shows."""


def whole_page(method: WholeRun, folder: Path) -> tuple[str, list[Plot]]:
    """Return the page of a finished run, and its plots.

    Args:
        method: the method of the run.
        folder: the run folder.

    Raises:
        RunFolderError: the run has not finished, or a file is damaged.
    """
    manifest = read_method_manifest(folder)
    sections = method.sections(folder)
    values = {
        "run_name": folder.resolve().name,
        "method": method.name,
        "summary": method.summary,
        "data": manifest["settings"]["data"],
        "sections": [(section.name, section.title) for section in sections],
        "contents": _numbered(sections),
        "facts": facts({part: manifest[part] for part in PARTS}),
    }
    plots = [plot for section in sections for plot in section.plots]
    return render("whole.html.j2", values, {"papers": plots}), plots


def _numbered(sections: Sequence[Section]) -> list[tuple[Section, int, int]]:
    """Return the sections, each with the range of its plots among all plots."""
    ends = list(accumulate(len(section.plots) for section in sections))
    starts = [end - len(section.plots) for end, section in zip(ends, sections, strict=True)]
    return list(zip(sections, starts, ends, strict=True))
