"""Measure what every layer of untrained networks does: `python -m benchmarks.lab.layers [TRUTH…]`.

Once for each truth, so that forms of a score are tried on the tables in seconds
(`python -m benchmarks.lab.forms`). No label is read; accuracies are only copied next to the
quantities.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import click
import torch
from torch import Tensor, nn

from benchmarks.results_folder import keep
from diswot.bench.ground_truths import GroundTruth, find_truth
from diswot.cli import displayed_progress, options
from diswot.networks.costs import measure_costs
from diswot.networks.layers import WeightLayer, weight_layers
from diswot.progress import tracked
from diswot.scorers.noise_blocks import spectral_entropy
from diswot.scorers.positions import channels, grid
from diswot.seeding import seed_for, torch_seed
from diswot.tasks.images import data_root as find_root
from search_spaces import AutoFormerSpace, SearchSpace, Signature, TensorSpec

IMAGES = 8
"""Number of noise images in the forward pass."""


@dataclass(frozen=True)
class Subject:
    """Settings of the measurements of a truth.

    Attributes:
        truth: its name.
        target: the column of accuracies that is copied.
        shape: of the images.
        classes: outputs of the networks.
        sample: architectures, drawn at random; 0 for all.
        space: builds the networks in place of the truth's space.
    """

    truth: str
    target: str
    shape: tuple[int, int, int] = (3, 32, 32)
    classes: int = 100
    sample: int = 0
    space: SearchSpace | None = None


SUBJECTS = {
    "digits-s0": Subject("digits-s0", "distilled", (1, 16, 16), 10),
    "digits-thin": Subject("digits-thin", "distilled", (1, 16, 16), 10),
    "resnet-s0": Subject("resnet-s0", "distilled"),
    "nas-bench-201": Subject("nas-bench-201", "cifar100", sample=300),
    "nas-bench-macro": Subject("nas-bench-macro", "cifar10", classes=10, sample=300),
    "nats-sss": Subject("nats-sss", "cifar10", classes=10, sample=300),
    "autoformer": Subject("autoformer", "distilled"),
    "autoformer-224": Subject(
        "autoformer",
        "distilled",
        (3, 224, 224),
        space=AutoFormerSpace(image_size=224, patch_size=16),
    ),
}
"""By the name of their table; `autoformer-224` is measured as its truth was trained."""


@dataclass(frozen=True)
class Layers:
    """Quantities of one network's layers in the order of the forward pass, joined by spaces.

    Attributes:
        arch: its name.
        accuracy: the truth's.
        params: parameters.
        macs: multiply-adds.
        ranks: effective rank of the channels that a layer writes, over all positions.
        channels: how many there are.
        weights: of the layer.
        taps: of its kernel; 1 of a linear layer.
        positions: where it writes.
        reach: share of them that change with one pixel.
    """

    arch: str
    accuracy: float
    params: int
    macs: int
    ranks: str
    channels: str
    weights: str
    taps: str
    positions: str
    reach: str


def layers_of(network: nn.Module, shape: Sequence[int], *, seed: int) -> list[tuple[float, ...]]:
    """Return rank, channels, weights, taps, positions and reach of every call of a layer."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(IMAGES, *shape, generator=generator)
    changed = noise[:1].clone()
    changed[:, :, shape[1] // 2, shape[2] // 2] += 1
    outputs = _outputs(network.train(), noise)
    reached = _outputs(network.eval(), torch.cat([noise[:1], changed]))
    return [
        (
            effective_rank(channels(output)),
            output.shape[2] if output.ndim == 3 else output.shape[1],
            layer.weight.numel(),
            layer.weight.shape[2:].numel(),
            grid(output).shape[2:].numel(),
            float((grid(both)[0] != grid(both)[1]).any(dim=0).float().mean()),
        )
        for (layer, output), (_, both) in zip(outputs, reached, strict=True)
    ]


def effective_rank(features: Tensor) -> float:
    """Return that of (samples, channels), 1 where they are constant."""
    return float(spectral_entropy(features.double()).exp().clamp(min=1))


def _outputs(network: nn.Module, images: Tensor) -> list[tuple[WeightLayer, Tensor]]:
    """Return the output of every call of a layer, copied before in-place changes."""
    results: list[tuple[WeightLayer, Tensor]] = []
    hooks = [
        layer.register_forward_hook(
            lambda module, _given, output: results.append((module, output.clone()))
        )
        for layer in weight_layers(network)
    ]
    with torch.no_grad():
        network(images)
    for hook in hooks:
        hook.remove()
    return results


def measured(subject: Subject, truth: GroundTruth, index: int) -> Layers:
    """Return the layers of one network of a truth."""
    arch, space = truth.architectures[index], subject.space or truth.space
    name = space.to_string(arch)

    seed = seed_for("layers", name)
    with torch_seed(seed):
        network = space.build(space.effective(arch), subject.classes)
    signature = Signature((TensorSpec("images", subject.shape),), subject.classes)
    costs = measure_costs(lambda: space.network(arch, signature), signature)
    columns = zip(*layers_of(network, subject.shape, seed=seed), strict=True)
    numbers = (" ".join(f"{value:.4g}" for value in column) for column in columns)
    accuracy = float(truth.accuracies(subject.target)[index])
    return Layers(name, accuracy, costs.params, costs.macs, *numbers)


@click.command()
@options.DATA_ROOT
@click.argument("names", nargs=-1, type=click.Choice(list(SUBJECTS)))
def main(data_root: str | None, names: tuple[str, ...]) -> None:
    """Measure all truths, or those named, into benchmarks/results/layers-TRUTH.csv."""
    torch.set_num_threads(1)
    with displayed_progress() as progress:
        for name in names or SUBJECTS:
            started, subject = datetime.now(UTC), SUBJECTS[name]
            truth = find_truth(subject.truth, find_root(data_root))
            if subject.sample:
                truth = truth.sampled(subject.sample, seed=0)
            indices = range(len(truth))
            rows = [
                measured(subject, truth, i) for i in tracked(indices, progress, name, len(truth))
            ]
            settings = {"truth": subject.truth, "target": subject.target, "images": IMAGES}
            shape = {"shape": list(subject.shape), "sample": subject.sample, "seed": 0}
            keep(f"layers-{name}", rows, {**settings, **shape}, started)


if __name__ == "__main__":
    main()
