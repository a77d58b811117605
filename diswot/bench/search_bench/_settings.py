"""What is searched, by what."""

from dataclasses import dataclass

from diswot.bench.ground_truths import GroundTruth
from diswot.bench.measurement import MeasurementSettings, teacher_for
from diswot.errors import OptionError
from diswot.search import ENGINES, Budget
from diswot.search.engines import EngineSettings

RANDOM = "random"
"""The engine that others are compared with."""


@dataclass(frozen=True)
class SearchBenchSettings:
    """What is searched, by what.

    Attributes:
        truth: a built-in ground truth.
        scorers: names or expressions.
        target: a column of the truth; by default `distilled`, or its first.
        engines: compared with random search, which need not be named.
        max_params: parameters that a candidate may have.
        max_macs: multiply-adds of one input that it may take.
        evaluations: candidates scored in each search.
        seeds: searches of each engine by each scorer.
        population: candidates per generation.
        sample: architectures that are known, drawn at random; 0 for all.
        teacher: at random initialization; by default `resnet110` for images, else the task's.
        repeats: initializations and batches.
        batch_size: images in a batch.
        seed: of measurements, and the first one of searches.
        data_root: where tables and datasets lie.
        device: where to compute.

    Raises:
        OptionError: a number or an engine that cannot be.
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
        """What a candidate may cost."""
        return Budget(params=self.max_params, macs=self.max_macs)

    def engine(self, name: str) -> EngineSettings:
        """Return the settings of one engine."""
        generations = -(-self.evaluations // self.population) - 1
        objectives = ("score", "params") if name == "nsga2" else ("score",)
        return EngineSettings(name, self.population, generations, objectives)

    def measurement(self, truth: GroundTruth, target: str) -> MeasurementSettings:
        """Return how the terms are measured."""
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
