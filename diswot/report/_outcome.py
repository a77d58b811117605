"""Read the final table and the exported student of a run."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diswot.errors import RunFolderError
from diswot.export import LayerLoss, read_exported
from diswot.pipeline import Verdict
from diswot.runs import RESULT
from diswot.runs.folder import read_json
from diswot.tasks import Measure, read_measures


@dataclass(frozen=True)
class Row:
    """One network of the final table; `score` and `measures` if it has any."""

    label: str
    architecture: str
    params: float
    macs: float
    latency_ms: float | None
    score: float | None
    measures: Mapping[str, Measure]


@dataclass(frozen=True)
class Outcome:
    """Results of a run in addition to its search.

    Attributes:
        rows: the final table; empty for a stand-alone search.
        shipped: loss of the exported student; `None` if not known.
        files: sizes in bytes of the exported student's files, by name.
        differences: largest deviation of outputs for each exported file, if known.
        verdict: which student to use, and why; `None` for a stand-alone search.
        latency: description of how the table's latencies were measured; `None` if not known.
        layers: what each layer of an exported 8-bit file loses, the largest first.
    """

    rows: tuple[Row, ...]
    shipped: str | None
    files: Mapping[str, int]
    differences: Mapping[str, float]
    verdict: Verdict | None = None
    latency: str | None = None
    layers: tuple[LayerLoss, ...] = ()

    @property
    def metric(self) -> str:
        """Name of the metric in the final table; empty without a table."""
        return next((measure.name for row in self.rows for measure in row.measures.values()), "")

    @property
    def losses(self) -> list[str]:
        """The losses in the final table, in the order of their first occurrence."""
        return list(dict.fromkeys(loss for row in self.rows for loss in row.measures))


def read_outcome(folder: Path) -> Outcome:
    """Read the results of a run in addition to its search.

    Raises:
        RunFolderError: `result.json` is damaged.
    """
    path = folder / RESULT
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
        _layers(student),
    )


def _layers(student: Path) -> tuple[LayerLoss, ...]:
    """Return what the layers of an exported 8-bit file lose; nothing if there is none."""
    exported = read_exported(student)
    forms = () if exported is None else exported.forms.values()
    return next((form.layers for form in forms if form.layers), ())


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
