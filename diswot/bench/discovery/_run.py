"""`discover`: measure layers, evolve formulas, and write tables to a folder."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from diswot.bench.discovery._evolution import EvolutionSettings, evolve
from diswot.bench.discovery._layer_table import LayerTable, measured_table
from diswot.bench.discovery._left_out import LeftOutRow, cross_validated, leave_one_out
from diswot.bench.ground_truths import GroundTruth, find_truth, truth_from_csv
from diswot.bench.measurement import MeasurementSettings
from diswot.bench.tables import write_csv
from diswot.errors import OptionError
from diswot.progress import Progress
from diswot.runs.folder import replace_content, versions, write_json
from diswot.tasks import data_root as find_root
from diswot.tasks import find_task

FEWEST = 30
"""Minimum number of labeled networks, of which a third is left out."""

MODULE = "discovered.py"

CODE = '''"""A score that `diswot bench discover` evolved: `--scorer discovered:discovered`."""

from torch import log1p, maximum, minimum, sqrt  # noqa: F401

from diswot.scorers import layer_quantities


def discovered(student, teacher):
    """Return the sum of the formula over the layers of a network."""
    q, r, t, P, c = layer_quantities(student)
    return ({formula}).sum()
'''


@dataclass(frozen=True)
class DiscoverySettings:
    """Settings of `discover`.

    Attributes:
        truths: names of built-in ground truths; ignored with `csv`.
        csv: CSV file with the accuracies of an own space.
        column: its column of accuracies.
        space: its search space.
        data: dataset on which its networks were trained.
        sample: number of networks of each ground truth, drawn at random; 0 for all.
        seeds: number of evolutions for each left-out ground truth or part.
        population: formulas in a generation.
        generations: generations after the first.
        seed: seed of samples and initializations.
        data_root: folder of tables and datasets.
        device: torch device of the measurements.
    """

    truths: tuple[str, ...] = ()
    csv: str | None = None
    column: str | None = None
    space: str | None = None
    data: str | None = None
    sample: int = 100
    seeds: int = 3
    population: int = EvolutionSettings.population
    generations: int = EvolutionSettings.generations
    seed: int = 0
    data_root: str | None = None
    device: str | None = None

    @property
    def evolution(self) -> EvolutionSettings:
        """The size of an evolution."""
        return EvolutionSettings(self.population, self.generations)

    def __post_init__(self) -> None:
        own = {"--column": self.column, "--space": self.space, "--data": self.data}
        missing = [name for name, value in own.items() if value is None]
        if self.csv is not None and missing:
            raise OptionError(
                f"for {self.csv} give {', '.join(missing)} too: its accuracies, its "
                "architectures and what they were trained on"
            )
        if self.csv is None and len(missing) < len(own):
            given = next(name for name, value in own.items() if value is not None)
            raise OptionError(f"{given} is for a table of your own: give it with --csv")
        if self.csv is None and len(set(self.truths)) < 2:
            raise OptionError(
                "Expected at least two ground truths, one of which is left out, but got "
                f"{', '.join(self.truths) or 'none'}: name more with --truths, or give --csv"
            )


@dataclass(frozen=True)
class Discovery:
    """The result of `discover`.

    Attributes:
        rows: scores on what was left out.
        formula: the formula that was evolved on all networks.
    """

    rows: Sequence[LeftOutRow]
    formula: str


def discover(settings: DiscoverySettings, out: Path, *, progress: Progress) -> Discovery:
    """Evolve scores from the quantities of layers, and write tables and the score to `out`.

    Args:
        settings: ground truths or a table, and the size of the evolution.
        out: a new folder, or an interrupted one, whose measurements are resumed.
        progress: called after every measurement and every evolution.

    Raises:
        DiswotError: a name is unknown, a table is damaged, or has fewer than 30 networks.
    """
    # 1. Measure the layers of all networks once.
    tables = [_table(truth, target, settings, out, progress) for truth, target in _truths(settings)]
    # 2. Evolve on some of the networks, and rank those that were left out.
    evolution, seeds = settings.evolution, settings.seeds
    if settings.csv is None:
        rows = leave_one_out(tables, evolution, seeds=seeds, progress=progress)
    else:
        rows = cross_validated(tables[0], evolution, seeds=seeds, progress=progress)
    # 3. Evolve on all networks: this is the score to use.
    formula = str(evolve(tables, evolution, seed=settings.seed))
    write_csv(out / "left-out.csv", rows)
    replace_content(out / MODULE, CODE.format(formula=formula).encode())
    write_json(
        out / "discovery.json",
        {"settings": asdict(settings), "formula": formula, "versions": versions()},
    )
    return Discovery(rows, formula)


def _truths(settings: DiscoverySettings) -> list[tuple[GroundTruth, str]]:
    """Return ground truths with their targets."""
    if settings.csv is not None:
        column, space, data = (
            str(each) for each in (settings.column, settings.space, settings.data)
        )
        own = truth_from_csv(Path(settings.csv), column, space=space, data=data)
        if len(own) < FEWEST:
            raise OptionError(
                f"Expected at least {FEWEST} networks, of which a third is left out, but "
                f"{settings.csv} has {len(own)}: add rows"
            )
        return [(own, column)]
    root = find_root(settings.data_root)
    found = [find_truth(name, root) for name in dict.fromkeys(settings.truths)]
    return [
        (
            truth.sampled(settings.sample, settings.seed)
            if 0 < settings.sample < len(truth)
            else truth,
            truth.default_target,
        )
        for truth in found
    ]


def _table(
    truth: GroundTruth, target: str, settings: DiscoverySettings, out: Path, progress: Progress
) -> LayerTable:
    measurement = MeasurementSettings(
        space=settings.space or truth.space_name,
        data=settings.data or truth.dataset(target),
        task=truth.task,
        teacher=find_task(truth.task).teacher,
        scorers=("student_fit",),
        repeats=1,
        batch_size=16,
        seed=settings.seed,
        data_root=settings.data_root,
        device=settings.device,
        image_size=truth.image_size,
    )
    return measured_table(truth, target, measurement, out / truth.name, progress)
