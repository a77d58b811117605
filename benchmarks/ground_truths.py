"""Measured accuracies of whole search spaces, to compare rankings with."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from search_spaces import Architecture, NASBench201Space, ResNetDepthSpace, SearchSpace

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class GroundTruth:
    """Accuracies of architectures, which no scorer ever sees.

    Attributes:
        name: what it is called in tables.
        space: the space of the architectures.
        data: the dataset that they were trained on.
        architectures: in the order of all other columns.
        accuracies: test accuracy in %.
        depths: layers in sequence that have weights, per cell or in all blocks.
    """

    name: str
    space: SearchSpace
    data: str
    architectures: tuple[Architecture, ...]
    accuracies: Vector
    depths: Vector

    def sampled(self, count: int, seed: int) -> "GroundTruth":
        """Return `count` of its architectures, drawn at random."""
        chosen = np.random.default_rng(seed).choice(len(self.accuracies), count, replace=False)
        return GroundTruth(
            self.name,
            self.space,
            self.data,
            tuple(self.architectures[i] for i in chosen),
            self.accuracies[chosen],
            self.depths[chosen],
        )


def resnet_s0(root: Path) -> GroundTruth:
    """Return the 64 networks of S0 with their distilled CIFAR-100 accuracy."""
    space = ResNetDepthSpace()
    rows = read_table(root / "resnet-s0" / "accuracies.csv")
    archs = tuple(
        space.from_string("-".join(row[f"stage{i}_blocks"] for i in (1, 2, 3))) for row in rows
    )
    accuracies = np.array([float(row["kd_acc"]) for row in rows])
    depths = np.array([float(sum(arch)) for arch in archs])
    return GroundTruth("S0, distilled", space, "cifar100", archs, accuracies, depths)


def nas_bench_201(root: Path, *, data: str) -> GroundTruth:
    """Return the 15,625 cells with their accuracy after 200 epochs on `cifar10` or `cifar100`."""
    space = NASBench201Space()
    rows = read_table(root / "nas-bench-201" / "accuracies.csv")
    column = {"cifar10": "c10_test", "cifar100": "c100_test"}[data]
    archs = tuple(space.from_string(row["arch"]) for row in rows)
    accuracies = np.array([float(row[column]) for row in rows])
    depths = np.array([_convolutions_in_sequence(arch) for arch in archs])
    return GroundTruth(f"NAS-Bench-201, {data}", space, data, archs, accuracies, depths)


def read_table(path: Path) -> list[Mapping[str, str]]:
    """Read a CSV file with a header."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _convolutions_in_sequence(arch: Architecture) -> float:
    """Return the number of convolutions on the longest path that is not cut."""
    edge = {(1, 0): 0, (2, 0): 1, (2, 1): 2, (3, 0): 3, (3, 1): 4, (3, 2): 5}
    depth = [0.0, -np.inf, -np.inf, -np.inf]
    for (node, source), place in edge.items():
        if arch[place] != "none":
            depth[node] = max(depth[node], depth[source] + ("conv" in arch[place]))
    return max(depth[3], 0.0)
