"""The report of a run: its results in memory and in `result.json`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from diswot.export import Exported
from diswot.pipeline._verdict import Verdict
from diswot.search import Costs, SearchResult
from diswot.tabular import Tabular
from diswot.tasks import Measure, Task
from diswot.training import Halving, Training


@dataclass(frozen=True)
class Row:
    """One network in the final table of a run.

    Attributes:
        label: its role in the run: `teacher`, `winner`, `largest`, …
        name: name of its architecture.
        costs: parameters and MACs.
        latency_ms: median latency of one example in milliseconds; `None` if the network does
            not run in the runtime that is measured.
        score: its score in the search; `None` for the teacher.
        measures: measures on the test split by loss.
    """

    label: str
    name: str
    costs: Costs
    latency_ms: float | None
    score: float | None = None
    measures: Mapping[str, Measure] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the row as JSON values."""
        return {
            "label": self.label,
            "architecture": self.name,
            "params": self.costs.params,
            "macs": self.costs.macs,
            "latency_ms": self.latency_ms,
            "score": self.score,
            "measures": {loss: measure.to_json() for loss, measure in self.measures.items()},
        }


@dataclass(frozen=True)
class RunReport(Tabular):
    """The results of a run.

    Attributes:
        search: result of the search.
        task: the task.
        losses: losses with which the winner was trained, in order.
        verdict: which student to use, and why; this student was exported.
        rows: the teacher, the winner and the baselines.
        latency: description of how the rows' latencies were measured.
        halving: the shortlist's trainings, which selected the winner; `None` if the winner is
            simply the candidate with the highest score.
        trainings: trainings of the winner by loss, without those that diverged.
        exported: the exported files.
        folder: the run folder.
    """

    search: SearchResult
    task: Task
    losses: tuple[str, ...]
    verdict: Verdict
    rows: tuple[Row, ...]
    latency: str
    halving: Halving | None
    trainings: Mapping[str, Training]
    exported: Exported
    folder: Path

    @property
    def shipped(self) -> str:
        """Loss with which the exported student was trained."""
        return self.verdict.loss

    @property
    def caption(self) -> str:
        """The verdict in one line."""
        return str(self.verdict)

    def to_records(self) -> list[dict[str, Any]]:
        """Return the final table: the teacher, the winner and the baselines."""
        return [
            {
                "network": row.label,
                **{f"test {found.name}, {loss}": found for loss, found in row.measures.items()},
                "params": row.costs.params,
                "macs": row.costs.macs,
                "latency_ms": row.latency_ms,
                "score": row.score,
                "architecture": row.name,
            }
            for row in self.rows
        ]

    def to_json(self) -> dict[str, Any]:
        """Return the content of `result.json`."""
        return self.search.to_json() | {
            "verdict": self.verdict.to_json(),
            "latency": self.latency,
            "table": [row.to_json() for row in self.rows],
            "halving": None if self.halving is None else self.halving.to_json(),
            "shipped": self.shipped,
            "student": self.exported.to_json() | {"digests": self.exported.digests},
        }
