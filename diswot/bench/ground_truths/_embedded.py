"""Thin networks of digits and mobile networks of photos, which are part of the package."""

from collections.abc import Sequence
from pathlib import Path

from diswot.bench import EMBEDDED
from diswot.bench.ground_truths._ground_truth import GroundTruth
from diswot.bench.ground_truths._residual_networks import IMAGES
from diswot.bench.ground_truths._table import accuracies, check_count, read_embedded
from diswot.search import find_space
from search_spaces import Signature, TensorSpec

THIN = EMBEDDED / "digits-thin.csv"
"""The table of `digits-thin`."""

MOBILE = EMBEDDED / "tiny-imagenet-mobile.csv"
"""The table of `tiny-imagenet-mobile`."""

SIDE = 32
"""Height and width of the photos of `tiny-imagenet-mobile`."""

PHOTOS = Signature((TensorSpec("images", (3, SIDE, SIDE)),), 20)
"""Signature of networks for these photos."""


def digits_thin_truth(
    root: Path,  # noqa: ARG001  (a loader: it is in the package, wherever the data root is)
    *,
    mirror: str | None = None,  # noqa: ARG001
    path: Path = THIN,
) -> GroundTruth:
    """320 thin networks of 1,000 to 20,000 parameters on digits, alone and distilled; embedded.

    Source: `python -m benchmarks.thin_truth`; means over 3 seeds. `short` is the accuracy on the
    validation split after the first epochs.
    """
    return _truth(
        path,
        name="digits-thin",
        command="python -m benchmarks.thin_truth",
        space="thin",
        data="digits",
        signature=IMAGES,
        targets=("distilled", "vanilla", "short"),
    )


def tiny_imagenet_mobile_truth(
    root: Path,  # noqa: ARG001  (a loader: it is in the package, wherever the data root is)
    *,
    mirror: str | None = None,  # noqa: ARG001
    path: Path = MOBILE,
) -> GroundTruth:
    """40 mobile networks of 20,000 to 5 million parameters on photos, distilled; embedded.

    Source: `python -m benchmarks.mobile_truth`; one seed. `validation` is the accuracy on the
    validation split after the best epoch.
    """
    return _truth(
        path,
        name="tiny-imagenet-mobile",
        command="python -m benchmarks.mobile_truth",
        space="mobile",
        data="tiny-imagenet-20",
        signature=PHOTOS,
        targets=("distilled", "validation"),
        image_size=SIDE,
    )


def _truth(
    path: Path,
    *,
    name: str,
    command: str,
    space: str,
    data: str,
    signature: Signature,
    targets: Sequence[str],
    image_size: int | None = None,
) -> GroundTruth:
    """Read a table with columns `arch`, `params` and accuracies."""
    table = read_embedded(name, path, command=command)
    check_count(path, len(table.rows))
    found = find_space(space, signature)
    return GroundTruth(
        name=name,
        space=found,
        space_name=space,
        data=data,
        architectures=table.architectures(table.column("arch"), found),
        targets={target: accuracies(table, target) for target in targets},
        params=table.numbers("params"),
        image_size=image_size,
    )
