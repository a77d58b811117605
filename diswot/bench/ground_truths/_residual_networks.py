"""The 64 networks of S0, on CIFAR-100 and on digits."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from diswot.bench import EMBEDDED
from diswot.bench.ground_truths._download import DOWNLOADS, fetch
from diswot.bench.ground_truths._ground_truth import GroundTruth
from diswot.bench.ground_truths._table import accuracies, check_count, read_embedded
from diswot.csv_table import Table, read_csv
from diswot.search import find_space
from search_spaces import ResNetDepthSpace, SearchSpace, Signature, TensorSpec

DIGITS = EMBEDDED / "digits-s0.csv"
"""Path of the table of `digits-s0`, which is part of the package."""

IMAGES = Signature((TensorSpec("images", (1, 16, 16)),), 10)
"""Signature of networks for digits."""


def resnet_s0_truth(root: Path, *, mirror: str | None = None) -> GroundTruth:
    """All 64 residual networks of S0 on CIFAR-100, trained alone and distilled.

    Source: the tables that the authors of DisWOT (Dong et al., CVPR 2023) released.
    """
    table = read_csv(fetch(DOWNLOADS["resnet-s0"], root, mirror=mirror))
    stages = [table.column(f"stage{i}_blocks") for i in (1, 2, 3)]
    texts = ["-".join(blocks) for blocks in zip(*stages, strict=True)]
    columns = {"vanilla": "vanilla_acc", "distilled": "kd_acc"}
    return _truth("resnet-s0", "cifar100", ResNetDepthSpace(), table, texts, columns)


def digits_s0_truth(
    root: Path,  # noqa: ARG001  (a loader: it is in the package, wherever the data root is)
    *,
    mirror: str | None = None,  # noqa: ARG001
    path: Path = DIGITS,
) -> GroundTruth:
    """All 64 residual networks of S0 on digits, trained alone and distilled; embedded.

    Source: `diswot bench make-truth`; means over seeds.
    """
    table = read_embedded("digits-s0", path, command="diswot bench make-truth")
    space = find_space("s0", IMAGES)
    columns = {"vanilla": "vanilla", "distilled": "distilled"}
    return _truth("digits-s0", "digits", space, table, table.column("arch"), columns)


def _truth(
    name: str,
    data: str,
    space: SearchSpace,
    table: Table,
    texts: Sequence[str],
    columns: dict[str, str],
) -> GroundTruth:
    check_count(table.path, len(table.rows), expected=space.size)
    architectures = table.architectures(texts, space)
    return GroundTruth(
        name=name,
        space=space,
        space_name="s0",
        data=data,
        architectures=architectures,
        targets={target: accuracies(table, column) for target, column in columns.items()},
        depths=np.array([float(sum(arch)) for arch in architectures]),
    )
