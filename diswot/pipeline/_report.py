"""What the main job made, for people and for `result.json`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from diswot.export import Exported
from diswot.pipeline._verdict import Verdict
from diswot.search import Costs, SearchResult
from diswot.tasks import Measure, Task
from diswot.training import Halving, Training


@dataclass(frozen=True)
class Row:
    """One network in the closing table.

    Attributes:
        label: what it is in this run: `teacher`, `winner`, `largest`, …
        name: its architecture.
        costs: parameters and multiply-adds.
        latency_ms: median time of one example; `None` if it does not run in the form that is timed.
        score: as in the search; the teacher has none.
        measures: on the test split, by how it was trained.
    """

    label: str
    name: str
    costs: Costs
    latency_ms: float | None
    score: float | None = None
    measures: Mapping[str, Measure] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the row as plain values."""
        return {
            "label": self.label,
            "architecture": self.name,
            "params": self.costs.params,
            "macs": self.costs.macs,
            "latency_ms": self.latency_ms,
            "score": self.score,
            "measures": {loss: found.to_json() for loss, found in self.measures.items()},
        }


@dataclass(frozen=True)
class RunReport:
    """What the main job made.

    Attributes:
        search: the search's result.
        task: what kind of data it is of.
        verdict: which student to take, and why; it is the one that was exported.
        rows: the teacher, the winner, and the baselines.
        latency: how the rows' latencies were measured.
        halving: the shortlist's trainings, by which the winner was chosen; `None` where it
            is the top-scoring candidate.
        trainings: the winner's, by loss; without those that diverged.
        exported: what was exported.
        folder: the run folder.
    """

    search: SearchResult
    task: Task
    verdict: Verdict
    rows: tuple[Row, ...]
    latency: str
    halving: Halving | None
    trainings: Mapping[str, Training]
    exported: Exported
    folder: Path

    @property
    def shipped(self) -> str:
        """The loss that the exported student was trained with."""
        return self.verdict.loss

    def to_json(self) -> dict[str, Any]:
        """Return what `result.json` holds."""
        return self.search.to_json() | {
            "verdict": self.verdict.to_json(),
            "latency": self.latency,
            "table": [row.to_json() for row in self.rows],
            "halving": None if self.halving is None else self.halving.to_json(),
            "shipped": self.shipped,
            "student": self.exported.to_json() | {"digests": self.exported.digests},
        }
