"""Settings of the search benchmark."""

from dataclasses import dataclass

from diswot.bench.ground_truths import GroundTruth
from diswot.bench.measurement import MeasurementSettings, teacher_for
from diswot.errors import OptionError
from diswot.search import ENGINES, Budget
from diswot.search.engines import EngineSettings

RANDOM = "random"
"""Name of the engine that all others are compared with."""


@dataclass(frozen=True)
class SearchBenchSettings:
    """Settings of `run_search_bench`.

    Attributes:
        truth: name of a built-in ground truth.
        scorers: names or expressions of scorers.
        target: a column of the truth; by default `distilled`, or its first.
        engines: names of engines; random search is added.
        max_params: maximum number of parameters; `None` for no limit.
        max_macs: maximum number of multiply-adds of one input; `None` for no limit.
        evaluations: number of candidates that each search scores.
        seeds: number of searches per engine and scorer.
        population: candidates per generation.
        sample: number of architectures of the truth to use, drawn at random; 0 for all.
        teacher: name of a teacher, at random initialization; by default `resnet110` for
            images, else the task's.
        repeats: initializations and batches per score.
        batch_size: images in a batch.
        seed: seed of the measurements, and of the first search.
        data_root: folder of tables and datasets.
        device: device such as `cpu` or `cuda:0`; by default a GPU if there is one.

    Raises:
        OptionError: a number is too small, or an engine cannot be compared.
        UnknownNameError: there is no such engine.
    """

    truth: str
    scorers: tuple[str, ...]
    target: str | None = None
    engines: tuple[str, ...] = ("evolution", "regularized")
    max_params: int | None = None
    max_macs: int | None = None
    evaluations: int = 200
    seeds: int = 20
    population: int = 20
    sample: int = 0
    teacher: str | None = None
    repeats: int = 3
    batch_size: int = 64
    seed: int = 0
    data_root: str | None = None
    device: str | None = None

    def __post_init__(self) -> None:
        for least, name in ((1, "evaluations"), (2, "seeds"), (1, "population")):
            if getattr(self, name) < least:
                raise OptionError(
                    f"Expected {name} to be at least {least}, but got {getattr(self, name)}"
                )
        for name in self.engines:
            ENGINES.find(name)
            if name == "exhaustive":
                raise OptionError(
                    "the engine exhaustive prefers nothing, so there is nothing to compare: "
                    "choose among evolution, nsga2 and regularized"
                )
            self.engine(name)

    @property
    def compared(self) -> tuple[str, ...]:
        """The engines, random search first."""
        return tuple(dict.fromkeys((RANDOM, *self.engines)))

    @property
    def budget(self) -> Budget:
        """Limits of a candidate's costs."""
        return Budget(params=self.max_params, macs=self.max_macs)

    def engine(self, name: str) -> EngineSettings:
        """Return the settings of one engine."""
        generations = -(-self.evaluations // self.population) - 1
        objectives = ("score", "params") if name == "nsga2" else ("score",)
        return EngineSettings(name, self.population, generations, objectives)

    def measurement(self, truth: GroundTruth, target: str) -> MeasurementSettings:
        """Return the settings of the measurements."""
        return MeasurementSettings(
            space=truth.space_name,
            data=truth.dataset(target),
            task=truth.task,
            teacher=teacher_for(truth.task, self.teacher),
            scorers=self.scorers,
            repeats=self.repeats,
            batch_size=self.batch_size,
            seed=self.seed,
            data_root=self.data_root,
            device=self.device,
        )
