"""Settings of a search in addition to teacher, space, data and scorer, and their JSON form."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Unpack, cast

from diswot.devices import find_device
from diswot.errors import OptionError, RunFolderError, UnknownNameError
from diswot.latency import FORMS, check_latency, default_form, is_measured
from diswot.options import EAGER, MEASURED, SearchOptions, filled, options_of
from diswot.search._budget import Budget
from diswot.search._evaluation_pool import check_processes
from diswot.search._selection import SCORE
from diswot.search._training_budget import TrainingBudget
from diswot.search.engines import ENGINES, EngineSettings, current_name


@dataclass(frozen=True)
class SearchSettings:
    """How candidates are proposed, what they may cost, and the short trainings.

    Attributes:
        engine: name and size of the search engine, and its objectives.
        budget: upper limits on what a candidate may cost.
        latency: latency source: a form to measure, a table or a calibration, see
            `diswot.latency.find_latency`; `None` if no latency is needed.
        latency_column: column of the latency table.
        trainings: budget of short trainings.

    Raises:
        OptionError: the budget or an objective needs a latency, and there is no source; or a
            column is given without one.
    """

    engine: EngineSettings = field(default_factory=EngineSettings)
    budget: Budget = field(default_factory=Budget)
    latency: str | None = None
    latency_column: str | None = None
    trainings: TrainingBudget = field(default_factory=TrainingBudget)

    def __post_init__(self) -> None:
        if _needs_latency(self.budget, self.engine) and self.latency is None:
            raise OptionError(
                f"a limit on milliseconds, or latency_ms as objective, needs latencies: give "
                f"--latency {', '.join(FORMS)}, a table (.csv) or a calibration (.json)"
            )
        if self.latency_column is not None and self.latency is None:
            raise OptionError(
                f"--latency-column {self.latency_column} needs a table of latencies: give one "
                f"with --latency"
            )

    @classmethod
    def chosen(cls, budget: Budget | None, **options: Unpack[SearchOptions]) -> "SearchSettings":
        """Return the settings for given options; missing ones have their defaults.

        Args:
            budget: upper limits on what a candidate may cost.
            **options: see [`SearchOptions`][diswot.search.SearchOptions].

        Raises:
            DiswotError: an option is invalid, or contradicts another one.
        """
        chosen = filled(SearchOptions, options)
        name, objectives = current_name(chosen["engine"]), chosen["objectives"]
        ENGINES.find(name)
        if objectives is None:
            objectives = (SCORE, "params") if name == "nsga2" else (SCORE,)
        engine = EngineSettings(
            name, chosen["population"], chosen["generations"], tuple(objectives)
        )
        limits, device = budget or Budget(), find_device(chosen["device"])
        latency, column = chosen["latency"], chosen["latency_column"]
        if latency is None and column is None and _needs_latency(limits, engine):
            latency = default_form(device)
        if latency is not None:
            check_latency(latency, column=column, device=device)
        trainings = TrainingBudget.chosen(
            chosen["trainings"], chosen["training_epochs"], chosen["train_budget"]
        )
        return cls(engine, limits, EAGER if latency == MEASURED else latency, column, trainings)

    @property
    def memory(self) -> bool:
        """Whether budget or objectives need the peak memory of activations."""
        return self.budget.memory is not None or "memory" in self.engine.objectives

    def extended(self, generations: int) -> "SearchSettings":
        """Return the settings with more generations.

        Raises:
            OptionError: `generations` is smaller than before.
        """
        if generations < self.engine.generations:
            raise OptionError(
                f"the run has {self.engine.generations} generations already: expected "
                f"--generations of at least that, but got {generations}"
            )
        return replace(self, engine=replace(self.engine, generations=generations))

    def to_json(self) -> dict[str, Any]:
        """Return the settings as JSON values, for the manifest."""
        settings = {
            "engine": self.engine.to_json(),
            "budget": asdict(self.budget),
            "latency": self.latency,
            "latency_column": self.latency_column,
        }
        return settings | ({"trainings": asdict(self.trainings)} if self.trainings else {})

    @classmethod
    def from_json(cls, manifest: Mapping[str, Any]) -> "SearchSettings":
        """Read the settings from the content of a manifest.

        Raises:
            RunFolderError: they are missing or invalid.
        """
        try:
            engine = dict(manifest["engine"])
            engine["objectives"] = tuple(engine["objectives"])
            engine["name"] = current_name(engine["name"])
            if engine["name"] not in ENGINES:
                raise ValueError(f"engine is {engine['name']!r}")
            latency, column = (manifest[name] for name in ("latency", "latency_column"))
            if not all(isinstance(item, str | None) for item in (latency, column)):
                raise ValueError(f"latency is {latency!r}, its column {column!r}")
            latency = EAGER if latency == MEASURED else latency
            trainings = TrainingBudget(**manifest.get("trainings", {}))
            limits = Budget(**manifest["budget"])
            return cls(EngineSettings(**engine), limits, latency, column, trainings)
        except (KeyError, TypeError, ValueError, OptionError, UnknownNameError) as error:
            raise RunFolderError(
                f"manifest.json holds no settings of a search ({error!r}): restore it from a copy"
            ) from error


def settled(
    budget: Budget | None, options: Mapping[str, Any]
) -> tuple[SearchSettings, int, str | None]:
    """Return settings, number of workers and cluster address of a search.

    Nothing is loaded, so that contradicting options are refused immediately.

    Args:
        budget: upper limits on what a candidate may cost.
        options: options by name; those that are not options of a search are ignored.

    Raises:
        DiswotError: an option is invalid, or contradicts another one.
    """
    chosen = cast(SearchOptions, options_of(SearchOptions, options))
    workers, cluster = chosen.get("workers") or 1, chosen.get("cluster")
    chosen["workers"] = workers
    settings = SearchSettings.chosen(budget, **chosen)
    check_alone_or_cluster(settings, workers, cluster)
    return settings, workers, cluster


def check_alone_or_cluster(settings: SearchSettings, workers: int, cluster: str | None) -> None:
    """Check workers and cluster, also against measured latencies.

    Args:
        settings: the settings of the search.
        workers: number of local processes.
        cluster: address of a Dask scheduler, or `None`.

    Raises:
        OptionError: there are more workers than cores, both workers and a cluster, or a cluster
            and a latency that is measured on this machine.
    """
    check_processes(workers, cluster)
    if cluster is not None and is_measured(settings.latency):
        raise OptionError(
            f"--latency {settings.latency} is measured on this machine alone: leave --cluster out, "
            "or calibrate once with `diswot latency calibrate` and give its file"
        )


def _needs_latency(budget: Budget, engine: EngineSettings) -> bool:
    return budget.latency_ms is not None or "latency_ms" in engine.objectives
