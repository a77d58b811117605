"""Ground truths by name."""

from pathlib import Path
from typing import Protocol

from diswot.bench.ground_truths._autoformer import autoformer_224_truth, autoformer_truth
from diswot.bench.ground_truths._embedded import digits_thin_truth, tiny_imagenet_mobile_truth
from diswot.bench.ground_truths._flexibert import flexibert_truth
from diswot.bench.ground_truths._ground_truth import GroundTruth
from diswot.bench.ground_truths._nas_bench_101 import nas_bench_101_truth
from diswot.bench.ground_truths._nas_bench_201 import nas_bench_201_truth
from diswot.bench.ground_truths._nas_bench_macro import nas_bench_macro_truth
from diswot.bench.ground_truths._nats_sss import nats_sss_truth
from diswot.bench.ground_truths._residual_networks import digits_s0_truth, resnet_s0_truth
from diswot.errors import OptionError, UnknownNameError
from diswot.progress import Progress, silent


class Loader(Protocol):
    """Loads a ground truth; `diswot list benchmarks` prints the first line of its docstring."""

    def __call__(self, root: Path, *, mirror: str | None = None) -> GroundTruth:
        """Return the ground truth; its table is read from `root`, or fetched from `mirror`."""


TRUTHS: dict[str, Loader] = {
    "digits-s0": digits_s0_truth,
    "digits-thin": digits_thin_truth,
    "tiny-imagenet-mobile": tiny_imagenet_mobile_truth,
    "resnet-s0": resnet_s0_truth,
    "nas-bench-101": nas_bench_101_truth,
    "nas-bench-201": nas_bench_201_truth,
    "nas-bench-macro": nas_bench_macro_truth,
    "nats-sss": nats_sss_truth,
    "autoformer": autoformer_truth,
    "autoformer-224": autoformer_224_truth,
    "flexibert": flexibert_truth,
}
"""Name → loader of the built-in ground truths."""

OFFICIAL = {"nas-bench-101": nas_bench_101_truth}
"""Name → loader of those whose official file may be anywhere."""


def find_truth(
    name: str,
    root: Path,
    *,
    mirror: str | None = None,
    table: Path | None = None,
    progress: Progress = silent,
) -> GroundTruth:
    """Load a built-in ground truth by name.

    Args:
        name: a key of `TRUTHS`.
        root: folder of tables and datasets.
        mirror: http(s) address to fetch a table from that is not under `root`; by default
            that of the environment variable `DISWOT_MIRROR`.
        table: the official file of `nas-bench-101`, if it is not in the data root.
        progress: called with the number of MB read from that file.

    Raises:
        UnknownNameError: no ground truth has that name.
        OptionError: `table` is given for a ground truth that reads no official file.
        DataError: its table is missing, or damaged.

    Examples:
        >>> find_truth("resnet", Path())
        Traceback (most recent call last):
        diswot.errors.UnknownNameError: unknown ground truth 'resnet': did you mean 'resnet-s0'?
        (or give a CSV file of your own)
    """
    if name not in TRUTHS:
        also = " (or give a CSV file of your own)"
        raise UnknownNameError("ground truth", name, TRUTHS, also=also)
    if name in OFFICIAL:
        return OFFICIAL[name](root, mirror=mirror, table=table, progress=progress)
    if table is not None:
        raise OptionError(
            f"--table {table} is for {', '.join(OFFICIAL)}, and {name} does not read an official "
            "file: leave it out"
        )
    return TRUTHS[name](root, mirror=mirror)
