"""Measure what every layer reads and writes of noise: `python -m benchmarks.lab.filled [TRUTH…]`.

The quantities of `student_fit`, layer by layer, so that other forms of them can be tried in
seconds (`python -m benchmarks.lab.filled_forms`). Several seeds; no teacher, and no label is read:
accuracies are only copied next to the quantities.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import click
import torch

from benchmarks.lab.layers import SUBJECTS, Subject
from benchmarks.results_folder import keep
from diswot.bench.ground_truths import GroundTruth, find_truth
from diswot.cli import displayed_progress, options
from diswot.networks import scoring_mode
from diswot.networks.costs import Costs, measure_costs
from diswot.networks.probe import Probe
from diswot.progress import tracked
from diswot.scorers.student_fit import IMAGES, fit_of, layer_calls
from diswot.seeding import seed_for, torch_seed
from diswot.tasks.images import data_root as find_root
from search_spaces import Signature, TensorSpec


@dataclass(frozen=True)
class Filled:
    """Quantities of one network's layers in its first initialization, joined by spaces.

    Attributes:
        arch: its name.
        accuracy: the truth's.
        params: parameters.
        macs: multiply-adds.
        scores: `student_fit` in every initialization.
        read: directions that each layer reads in an image.
        written: those that it writes.
        positions: where it writes.
        taps: of its kernel; 1 of a linear layer.
        channels: that it writes.
    """

    arch: str
    accuracy: float
    params: int
    macs: int
    scores: str
    read: str
    written: str
    positions: str
    taps: str
    channels: str


def filled(subject: Subject, truth: GroundTruth, place: int, seeds: int) -> Filled:
    """Return the quantities of a network's layers, and its scores."""
    arch, space = truth.architectures[place], subject.space or truth.space
    signature = Signature((TensorSpec("images", subject.shape),), subject.classes)
    costs = measure_costs(lambda: space.network(arch, signature), signature)
    accuracy = float(truth.accuracies(subject.target)[place])
    results = []
    for seed in range(seeds):
        probe = _probe(subject, truth, place, costs, seed=seed)
        with torch.inference_mode(), scoring_mode(probe.network):
            results.append(layer_calls(probe, slice(IMAGES)))
    scores = [float(fit_of(*item)) for item in results]
    columns = zip(
        *((c.read, c.written, c.positions, c.taps, c.channels) for c in results[0][0]), strict=True
    )
    numbers = [scores, *columns]
    joined = (" ".join(f"{float(value):.5g}" for value in column) for column in numbers)
    return Filled(space.to_string(arch), accuracy, costs.params, costs.macs, *joined)


def _probe(subject: Subject, truth: GroundTruth, index: int, costs: Costs, *, seed: int) -> Probe:
    arch, space = truth.architectures[index], subject.space or truth.space
    number = seed_for("filled", space.canonical_key(arch), seed)
    with torch_seed(number):
        network = space.build(space.effective(arch), subject.classes)
    return Probe(network, torch.zeros(IMAGES, *subject.shape), costs=costs, seed=number)


@click.command()
@options.DATA_ROOT
@click.option("--seeds", default=5, show_default=True, help="Initializations of each network.")
@click.argument("names", nargs=-1, type=click.Choice(list(SUBJECTS)))
def main(data_root: str | None, seeds: int, names: tuple[str, ...]) -> None:
    """Measure all truths, or those named, into benchmarks/results/filled-TRUTH.csv."""
    torch.set_num_threads(1)
    with displayed_progress() as progress:
        for name in names or SUBJECTS:
            started, subject = datetime.now(UTC), SUBJECTS[name]
            truth = find_truth(subject.truth, find_root(data_root))
            if subject.sample:
                truth = truth.sampled(subject.sample, seed=0)
            indices = tracked(range(len(truth)), progress, name, len(truth))
            rows = [filled(subject, truth, index, seeds) for index in indices]
            settings = {"truth": subject.truth, "target": subject.target, "images": IMAGES}
            shape = {"shape": list(subject.shape), "sample": subject.sample, "seeds": seeds}
            keep(f"filled-{name}", rows, {**settings, **shape}, started)


if __name__ == "__main__":
    main()
