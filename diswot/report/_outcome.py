"""What the main job adds to a search: its closing table, and the exported student."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diswot.errors import RunFolderError
from diswot.pipeline import Verdict
from diswot.runs.folder import read_json
from diswot.tasks import Measure, read_measures


@dataclass(frozen=True)
class Row:
    """One network of the closing table; `score` and `measures` where there are any."""

    label: str
    architecture: str
    params: float
    macs: float
    latency_ms: float | None
    score: float | None
    measures: Mapping[str, Measure]


@dataclass(frozen=True)
class Outcome:
    """What came of a run beyond the search.

    Attributes:
        rows: the closing table; none after a search alone.
        shipped: the loss of the exported student, where it is known.
        files: of the exported student, with their sizes in bytes.
        verdict: which student to take, and why; `None` after a search alone.
        latency: how the latencies of the closing table were measured, where it is known.
        differences: for each exported form, the largest difference of its outputs from the
            network's, where it is known.
    """

    rows: tuple[Row, ...]
    shipped: str | None
    files: Mapping[str, int]
    differences: Mapping[str, float]
    verdict: Verdict | None = None
    latency: str | None = None

    @property
    def metric(self) -> str:
        """What the closing table is of, where there is one."""
        return next((found.name for row in self.rows for found in row.measures.values()), "")

    @property
    def losses(self) -> list[str]:
        """The losses of the closing table, in the order of their first row."""
        return list(dict.fromkeys(loss for row in self.rows for loss in row.measures))


def read_outcome(folder: Path) -> Outcome:
    """Read what a run folder holds beyond the search.

    Raises:
        RunFolderError: `result.json` is damaged.
    """
    path = folder / "result.json"
    result = read_json(path)
    try:
        rows = tuple(_row(row) for row in result.get("table", ()))
        forms = result.get("student", {}).get("forms", {}).values()
        differences = {
            str(form["file"]): float(form["difference"])
            for form in forms
            if form["difference"] is not None
        }
        shipped, latency = result.get("shipped"), result.get("latency")
        verdict = result.get("verdict")
        verdict = None if verdict is None else Verdict.from_json(verdict)
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise RunFolderError(f"{path} is damaged ({error!r}): restore it from a copy") from error
    student = folder / "student"
    files = {file.name: file.stat().st_size for file in sorted(student.glob("*")) if file.is_file()}
    return Outcome(
        rows,
        None if shipped is None else str(shipped),
        files,
        differences,
        verdict,
        None if latency is None else str(latency),
    )


def _row(row: Mapping[str, Any]) -> Row:
    latency, score = row["latency_ms"], row["score"]
    return Row(
        label=str(row["label"]),
        architecture=str(row["architecture"]),
        params=float(row["params"]),
        macs=float(row["macs"]),
        latency_ms=None if latency is None else float(latency),
        score=None if score is None else float(score),
        measures=read_measures(row),
    )
