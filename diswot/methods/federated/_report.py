"""The result of a federated run: a row per client, and the sections of its page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diswot.methods._whole_run import Section, WholeReport
from diswot.methods.federated._fusion import FUSIONS
from diswot.methods.federated._server import Round
from diswot.plots import Axis, Dot, Plot, Series

MOST = 40
"""Maximal number of clients in a table of the page; the text says how many are left out."""

INFERRED = (
    "KnFu's equations 4 to 9 are not public: the class distribution (mean soft label), the weight "
    "exp(-beta KL), the choice of neighbors and the temperature 1 are this project's."
)


@dataclass(frozen=True)
class ClientRow:
    """The result of one client.

    Attributes:
        name: name of the client.
        samples: number of private examples.
        mix: fraction of each class.
        max_params: parameter limit of its search; `None` for none.
        architecture: architecture of its student.
        params: parameters of the student.
        candidates: number of candidates in its search.
        own: metric with the client's label mix after every round, by round.
        overall: metric on all test examples after every round, by round.
    """

    name: str
    samples: int
    mix: tuple[float, ...]
    max_params: int | None
    architecture: str
    params: int
    candidates: int
    own: Mapping[int, float]
    overall: Mapping[int, float]

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> "ClientRow":
        """Read a row of `result.json`."""
        values = {name: record[name] for name in cls.__dataclass_fields__}
        for name in ("own", "overall"):
            values[name] = {int(number): value for number, value in values[name].items()}
        return cls(**values | {"mix": tuple(values["mix"])})

    def to_json(self) -> dict[str, Any]:
        """Return the row as JSON values."""
        return vars(self) | {
            "mix": list(self.mix),
            "own": {str(number): value for number, value in self.own.items()},
            "overall": {str(number): value for number, value in self.overall.items()},
        }

    @property
    def last(self) -> tuple[float | None, float | None]:
        """The metric after the last round: with the own mix, and overall."""
        own = self.own[max(self.own)] if self.own else None
        return own, self.overall[max(self.overall)] if self.overall else None


@dataclass(frozen=True)
class FederatedReport(WholeReport):
    """The results of a federated run.

    Attributes:
        folder: the run folder.
        metric: name of the task's metric.
        classes: names of the classes.
        public: number of public examples.
        fusion: name of the fusion.
        rows: the clients, in order.
        rounds: records of the rounds.
        privacy: sentence on what was sent and what it protects.
        next_steps: what to do next.
    """

    folder: Path
    metric: str
    classes: tuple[str, ...]
    public: int
    fusion: str
    rows: tuple[ClientRow, ...]
    rounds: tuple[Round, ...]
    privacy: str
    next_steps: Sequence[str] = ()

    @property
    def title(self) -> str:
        """Heading of the table."""
        return f"Clients after {len(self.rounds)} rounds, fusion {self.fusion}"

    @property
    def caption(self) -> str:
        """What the table shows, means over clients, and the bytes that were sent."""
        own, overall = self.means
        return (
            f"Test {self.metric}, for each client's own label mix and for all test examples; means "
            f"over clients {own:.1%} and {overall:.1%}. {self.traffic} {self.privacy}"
        )

    @property
    def means(self) -> tuple[float, float]:
        """Means over clients of the metric after the last round: own mix, and overall."""
        known = [row.last for row in self.rows]
        own = [value for value, _ in known if value is not None]
        overall = [value for _, value in known if value is not None]
        return sum(own) / max(1, len(own)), sum(overall) / max(1, len(overall))

    @property
    def traffic(self) -> str:
        """Bytes that clients sent and received, and what they were."""
        sent = sum(sum(item.sent.values()) for item in self.rounds)
        received = sum(sum(item.received.values()) for item in self.rounds)
        what = "weights" if self.fusion == "fedavg" else "soft labels for the public set"
        return f"Sent: {what}, {sent:,} bytes to the server and {received:,} bytes to clients."

    def to_records(self) -> list[dict[str, Any]]:
        """Return one row per client."""
        return [
            {
                "client": row.name,
                "examples": row.samples,
                "classes": sum(share > 0 for share in row.mix),
                "max params": row.max_params,
                "params": row.params,
                "own mix": row.last[0],
                "all test": row.last[1],
                "own weight": self._own_weight(row.name),
                "architecture": row.architecture,
            }
            for row in self.rows
        ]

    def _own_weight(self, name: str) -> float | None:
        last = next((item for item in reversed(self.rounds) if name in item.clients), None)
        if last is None:
            return None
        index = last.clients.index(name)
        return last.weights[index][index]

    def to_json(self) -> dict[str, Any]:
        """Return the content of `result.json`, without times, so that it is reproducible."""
        own, overall = self.means
        return {
            "metric": self.metric,
            "classes": list(self.classes),
            "public": self.public,
            "fusion": self.fusion,
            "privacy": self.privacy,
            "mean": {"own": own, "overall": overall},
            "clients": [row.to_json() for row in self.rows],
            "sent": [dict(item.sent) for item in self.rounds],
            "received": [dict(item.received) for item in self.rounds],
        }

    @classmethod
    def from_json(
        cls, record: Mapping[str, Any], rounds: Sequence[Round], folder: Path
    ) -> "FederatedReport":
        """Read the report from `result.json` and the journal of rounds."""
        return cls(
            folder,
            record["metric"],
            tuple(record["classes"]),
            record["public"],
            record["fusion"],
            tuple(ClientRow.from_json(row) for row in record["clients"]),
            tuple(rounds),
            record["privacy"],
        )


def sections_of(report: FederatedReport) -> list[Section]:
    """Return the sections of the page: results, label mixes, fusion weights and traffic.

    Args:
        report: results of the run.
    """
    return [_results(report), _mixes(report), _weights(report), _traffic(report)]


def _results(report: FederatedReport) -> Section:
    plots = [
        _plot(report, "own", f"Test {report.metric} with each client's own label mix"),
        _plot(report, "overall", f"Test {report.metric} for all test examples"),
    ]
    return Section(
        "clients",
        "Clients",
        [report.caption, *_left_out(report)],
        {"The students of the clients, each found under its own budget": report.to_cells()[:MOST]},
        plots,
    )


def _plot(report: FederatedReport, kind: str, title: str) -> Plot:
    lines = []
    for index, row in enumerate(report.rows[:MOST]):
        values = getattr(row, kind)
        dots = tuple(Dot(float(number), value) for number, value in sorted(values.items()))
        lines.append(Series(row.name, "line", f"line-{index % 6}", dots))
    return Plot(
        f"{kind}-by-round",
        title,
        "One line per client.",
        Axis("round", whole=True),
        Axis(f"test {report.metric}"),
        tuple(lines),
    )


def _mixes(report: FederatedReport) -> Section:
    rows = [
        {"client": row.name, "examples": f"{row.samples:,}"}
        | {name: f"{share:.0%}" for name, share in zip(report.classes, row.mix, strict=True)}
        for row in report.rows[:MOST]
    ]
    sentence = "Fractions of the classes among each client's private examples."
    return Section("mixes", "Label mixes", [sentence], {"Label mixes of the clients": rows})


def _weights(report: FederatedReport) -> Section:
    tables = {}
    for item in report.rounds:
        tables[f"Round {item.number}: weights of the columns' clients for the rows' clients"] = [
            {"client": name}
            | {other: f"{w:.3f}" for other, w in zip(item.clients, row, strict=True)}
            for name, row in list(zip(item.clients, item.weights, strict=True))[:MOST]
        ]
    sentences = [f"Fusion {report.fusion}: {FUSIONS[report.fusion]}."]
    if report.fusion == "knfu":
        sentences.append(INFERRED)
    for item in report.rounds:
        sentences += [f"Round {item.number}: {n} {why}." for n, why in item.problems.items()]
        sentences += [
            f"Round {item.number}: {name} {why}; its mean weight for other clients is "
            f"{item.weight_of(name) or 0:.3f}."
            for name, why in item.suspects.items()
        ]
    return Section("weights", "Fusion weights", sentences, tables)


def _traffic(report: FederatedReport) -> Section:
    rows = [
        {
            "round": str(item.number),
            "clients": str(len(item.clients)),
            "sent to the server": f"{sum(item.sent.values()):,}",
            "sent to clients": f"{sum(item.received.values()):,}",
            "training": f"{item.seconds['train']:.2f} s",
            "fusion": f"{item.seconds['fuse']:.3f} s",
            "fine-tuning": f"{item.seconds['tune']:.2f} s",
        }
        for item in report.rounds
    ]
    return Section("traffic", "Bytes and times", [report.traffic, report.privacy], {"Rounds": rows})


def _left_out(report: FederatedReport) -> list[str]:
    left = len(report.rows) - MOST
    return [f"{left:,} more clients are in result.json."] if left > 0 else []
