"""The default score of whole spaces: `python -m benchmarks.space_scores FOLDER [TRUTH…]`.

What `benchmarks.training_budgets` reads, so that budgets are spent on scores that were measured.
One initialization after the other; stopped, it resumes from the folder.
"""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import click
import torch

from benchmarks.lab.layers import SUBJECTS, Subject
from benchmarks.results_folder import keep
from diswot.bench.ground_truths import GroundTruth, find_truth
from diswot.cli import displayed_progress, options
from diswot.networks import scoring_mode
from diswot.networks.costs import measure_costs
from diswot.networks.probe import Probe
from diswot.progress import tracked
from diswot.runs import RecordFile
from diswot.scorers.student_fit import IMAGES, fit_of, layer_calls
from diswot.seeding import generator_for, seed_for, torch_seed
from diswot.tasks.images import data_root as find_root
from search_spaces import Signature, TensorSpec

NETWORKS = {"nas-bench-201": 0, "nas-bench-macro": 1_500, "nats-sss": 1_500}
"""How many networks of a truth, drawn at random; 0 for all."""


@dataclass(frozen=True)
class Scored:
    """One network in one initialization.

    Attributes:
        arch: its name.
        seed: of the initialization.
        score: `student_fit`.
        params: parameters.
        macs: multiply-adds.
    """

    arch: str
    seed: int
    score: float
    params: int
    macs: int


@dataclass(frozen=True)
class ScoredNetwork:
    """One network.

    Attributes:
        arch: its name.
        scores: `student_fit` in every initialization, joined by spaces.
        params: parameters.
        macs: multiply-adds.
    """

    arch: str
    scores: str
    params: int
    macs: int


def drawn(truth: GroundTruth, count: int) -> list[int]:
    """Return the places of one network of each class, in random order."""
    first: dict[str, int] = {}
    for index, arch in enumerate(truth.architectures):
        first.setdefault(truth.space.canonical_key(arch), index)
    order = generator_for("space scores", truth.name).permutation([*first.values()])
    return [int(index) for index in (order[:count] if count else order)]


def scored(subject: Subject, truth: GroundTruth, index: int, seed: int) -> Scored:
    """Return the score of a network in one initialization."""
    arch, space = truth.architectures[index], subject.space or truth.space
    signature = Signature((TensorSpec("images", subject.shape),), subject.classes)
    costs = measure_costs(lambda: space.network(arch, signature), signature)
    number = seed_for("filled", space.canonical_key(arch), seed)
    with torch_seed(number):
        network = space.build(space.effective(arch), subject.classes)
    probe = Probe(network, torch.zeros(IMAGES, *subject.shape), costs=costs, seed=number)
    with torch.inference_mode(), scoring_mode(network):
        score = float(fit_of(*layer_calls(probe, slice(IMAGES))))
    return Scored(space.to_string(arch), seed, score, costs.params, costs.macs)


def networks(found: list[Scored], seeds: int) -> list[ScoredNetwork]:
    """Return the networks that were scored in all initializations."""
    by_name: dict[str, list[Scored]] = {}
    for item in found:
        by_name.setdefault(item.arch, []).append(item)
    return [
        ScoredNetwork(name, " ".join(f"{s.score:.6g}" for s in of), of[0].params, of[0].macs)
        for name, of in by_name.items()
        if len(of) == seeds
    ]


@click.command()
@options.DATA_ROOT
@click.option("--seeds", default=2, show_default=True, help="Initializations of each network.")
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("names", nargs=-1, type=click.Choice(list(NETWORKS)))
def main(data_root: str | None, seeds: int, folder: Path, names: tuple[str, ...]) -> None:
    """Score the truths, or those named, into benchmarks/results/space-scores-TRUTH.csv."""
    torch.set_num_threads(1)
    folder.mkdir(parents=True, exist_ok=True)
    with displayed_progress() as progress:
        for seed in range(seeds):
            for name in names or NETWORKS:
                started, subject = datetime.now(UTC), SUBJECTS[name]
                truth = find_truth(subject.truth, find_root(data_root))
                record = RecordFile(folder / f"{name}.jsonl")
                result = record.read(lambda item: Scored(**item))
                known = {(item.arch, item.seed) for item in result}
                places = drawn(truth, NETWORKS[name])
                for index in tracked(places, progress, name, len(places)):
                    arch = truth.space.to_string(truth.architectures[index])
                    if (arch, seed) not in known:
                        result.append(scored(subject, truth, index, seed))
                        record.append(asdict(result[-1]))
                keep(
                    f"space-scores-{name}",
                    networks(result, seed + 1),
                    {"truth": name, "seeds": seed + 1, "images": IMAGES},
                    started,
                )


if __name__ == "__main__":
    main()
