"""What a search depends on besides teacher, space, data and scorer, and how it is kept."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Unpack

from diswot.errors import OptionError, RunFolderError, UnknownNameError
from diswot.options import SearchOptions, filled
from diswot.search._budget import Budget
from diswot.search._selection import SCORE
from diswot.search.engines import ENGINES, EngineSettings


@dataclass(frozen=True)
class SearchSettings:
    """How candidates are proposed, and what they may cost.

    Attributes:
        engine: how candidates are proposed.
        budget: what they may cost.
        latency: where milliseconds come from, see `diswot.latency.find_latency`.
        latency_column: which column of a table they are.

    Raises:
        OptionError: milliseconds are asked for and there is nothing to tell them.
    """

    engine: EngineSettings = field(default_factory=EngineSettings)
    budget: Budget = field(default_factory=Budget)
    latency: str | None = None
    latency_column: str | None = None

    def __post_init__(self) -> None:
        timed = self.budget.latency_ms is not None or "latency_ms" in self.engine.objectives
        if timed and self.latency is None:
            raise OptionError(
                "a limit on milliseconds, or latency_ms as objective, needs to know them: give "
                "--latency measured, or a table (.csv) or calibration (.json)"
            )
        if self.latency_column is not None and self.latency is None:
            raise OptionError(
                f"--latency-column {self.latency_column} is of a table: give it with --latency"
            )

    @classmethod
    def chosen(cls, budget: Budget | None, **options: Unpack[SearchOptions]) -> "SearchSettings":
        """Return the settings that options stand for."""
        chosen = filled(SearchOptions, options)
        name, objectives = chosen["engine"], chosen["objectives"]
        if objectives is None:
            objectives = (SCORE, "params") if name == "nsga2" else (SCORE,)
        engine = EngineSettings(
            name, chosen["population"], chosen["generations"], tuple(objectives)
        )
        return cls(engine, budget or Budget(), chosen["latency"], chosen["latency_column"])

    @property
    def memory(self) -> bool:
        """Whether peak activation memory is asked for."""
        return self.budget.memory is not None or "memory" in self.engine.objectives

    def extended(self, generations: int) -> "SearchSettings":
        """Return the settings with more generations.

        Raises:
            OptionError: there are fewer than before.
        """
        if generations < self.engine.generations:
            raise OptionError(
                f"the run has {self.engine.generations} generations, and none is taken back: "
                f"expected --generations of at least that, but got {generations}"
            )
        return replace(self, engine=replace(self.engine, generations=generations))

    def to_json(self) -> dict[str, Any]:
        """Return the settings as plain values, for the manifest."""
        return {
            "engine": self.engine.to_json(),
            "budget": asdict(self.budget),
            "latency": self.latency,
            "latency_column": self.latency_column,
        }

    @classmethod
    def from_json(cls, manifest: Mapping[str, Any]) -> "SearchSettings":
        """Return the settings that a manifest holds.

        Raises:
            RunFolderError: they cannot be.
        """
        try:
            engine = dict(manifest["engine"])
            engine["objectives"] = tuple(engine["objectives"])
            if engine["name"] not in ENGINES:
                raise ValueError(f"engine is {engine['name']!r}")
            latencies = [manifest[name] for name in ("latency", "latency_column")]
            if not all(isinstance(each, str | None) for each in latencies):
                raise ValueError(f"latency is {latencies}")
            return cls(EngineSettings(**engine), Budget(**manifest["budget"]), *latencies)
        except (KeyError, TypeError, ValueError, OptionError, UnknownNameError) as error:
            raise RunFolderError(
                f"manifest.json holds no settings of a search ({error!r}): restore it from a copy"
            ) from error
