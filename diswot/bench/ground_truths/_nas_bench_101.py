"""The modules of NAS-Bench-101, read from the official file."""

import base64
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from diswot.bench.ground_truths._download import Download, fetch
from diswot.bench.ground_truths._ground_truth import GroundTruth
from diswot.bench.ground_truths._table import check_count, check_varies
from diswot.bench.ground_truths._tfrecord import read_fields, read_records
from diswot.csv_table import excerpt
from diswot.errors import DataError, first_line
from diswot.files import open_file
from diswot.progress import Progress, Step, message, silent
from search_spaces import NASBench101Architecture, NASBench101Space, module_101

# The file has a public address, but 499 MB, so users download it themselves.
OFFICIAL_FILE = Download(
    "nas-bench-101/nasbench_only108.tfrecord",
    "4c39c3936e36a85269881d659e44e61a245babcb72cb374eacacf75d0e5f4fd1",
)

MODULES = 423_624
"""Number of modules in the official files."""

EPOCHS = (108, 36, 12, 4)
"""Lengths of trainings; the smaller official file has those of 108 epochs alone."""

SUFFIX = "-bn-relu"
EVALUATIONS, PARAMETERS = 1, 2
VALIDATION, TEST = 4, 5
"""Field numbers of the messages `ModelMetrics` and `EvaluationData`."""

END = 2
"""Index of the evaluation after the last epoch; 0 and 1 are before the first and half-way."""

MEGABYTE = 1_000_000


def nas_bench_101_truth(
    root: Path,
    *,
    mirror: str | None = None,
    table: Path | None = None,
    progress: Progress = silent,
) -> GroundTruth:
    """The 423,624 modules of NAS-Bench-101 on CIFAR-10, from the official file.

    Source: Ying et al., "NAS-Bench-101", ICML 2019. The file is
    `nasbench_only108.tfrecord` or `nasbench_full.tfrecord`; accuracies are means over
    repeated trainings. Targets are the test accuracy after 108 epochs (`cifar10`), the
    validation accuracy (`cifar10-valid`), and, in the full file, those after 36, 12 and 4 epochs
    (`cifar10-12ep`, `cifar10-valid-12ep`).

    Args:
        root: the data root.
        mirror: http(s) address with the same files as a data root.
        table: the official file, if it is not in the data root.
        progress: called with the number of MB read.

    Raises:
        DataError: the file is missing, truncated, damaged, or has other content.
    """
    path = fetch(OFFICIAL_FILE, root, mirror=mirror) if table is None else table
    modules = _read(path, progress)
    check_count(path, len(modules))
    if len(modules) != MODULES:
        text = f"{path} has {len(modules):,} of the {MODULES:,} modules"
        progress(message("nas-bench-101", text))
    return GroundTruth(
        name="nas-bench-101",
        space=NASBench101Space(),
        space_name="nas-bench-101",
        data="cifar10",
        architectures=tuple(module.architecture for module in modules.values()),
        targets=_targets(path, modules),
        depths=np.array([_convolutions_in_sequence(m.architecture) for m in modules.values()]),
        params=np.array([float(module.params) for module in modules.values()]),
    )


@dataclass
class _Module:
    """A module of the table.

    Attributes:
        adjacency: rows of its matrix as one text of 0 and 1.
        operations: operations of all vertices, joined by commas.
        params: number of trainable parameters of its network.
        architecture: the module in the space.
        sums: epochs → sums of validation and test accuracies in %, and number of trainings.
    """

    adjacency: str
    operations: str
    params: int
    architecture: NASBench101Architecture
    sums: dict[int, tuple[float, float, int]] = field(default_factory=dict)

    def add(self, epochs: int, validation: float, test: float) -> None:
        """Add the result of one training."""
        first, second, count = self.sums.get(epochs, (0.0, 0.0, 0))
        self.sums[epochs] = first + 100 * validation, second + 100 * test, count + 1


def _read(path: Path, progress: Progress) -> dict[str, _Module]:
    """Return the modules of an official file by their hashes."""
    results: dict[str, _Module] = {}
    number = 0
    try:
        total = path.stat().st_size // MEGABYTE
        with open_file(path) as file:
            for record in read_records(file):
                _add(results, record)
                number += 1
                if number % 10_000 == 0:
                    progress(Step("read, in MB", min(file.tell() // MEGABYTE, total), total))
    except OSError as error:
        raise DataError(
            f"{path} cannot be read ({error.strerror or first_line(error)}): check the path"
        ) from error
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"{path} is not a complete NAS-Bench-101 file (after {number:,} records: "
            f"{first_line(error)}): copy or download the official file again"
        ) from error
    return results


def _add(found: dict[str, _Module], record: bytes) -> None:
    """Add the training in a record to its module.

    Raises:
        ValueError: the record is not a training of a module.
    """
    key, epochs, adjacency, operations, metrics = _parts(record)
    validation, test, params = _metrics(metrics)
    module = found.get(key)
    if module is None:
        architecture = _architecture(adjacency, operations)
        module = found[key] = _Module(adjacency, operations, params, architecture)
    if (module.adjacency, module.operations, module.params) != (adjacency, operations, params):
        raise ValueError(f"two records of the module {excerpt(key)} disagree")
    module.add(epochs, validation, test)


def _parts(record: bytes) -> tuple[str, int, str, str, str]:
    """Return hash, epochs, matrix, operations and encoded metrics of a record."""
    try:
        values: Any = json.loads(record.decode())
    except (ValueError, RecursionError) as error:
        raise ValueError("a record is not JSON") from error
    if not isinstance(values, list) or len(values) != 5:
        raise ValueError("a record is not a list of hash, epochs, matrix, operations and metrics")
    key, epochs, adjacency, operations, metrics = values
    texts = all(isinstance(item, str) for item in (key, adjacency, operations, metrics))
    if not texts or isinstance(epochs, bool) or epochs not in EPOCHS:
        raise ValueError(
            "a record is not a text, epochs (108, 36, 12 or 4) and three texts, but "
            f"{excerpt(repr(values[:2]))}"
        )
    return key, int(epochs), adjacency, operations, metrics


def _metrics(text: str) -> tuple[float, float, int]:
    """Return final validation and test accuracy, and the number of parameters.

    Raises:
        ValueError: the metrics are damaged, or lack one of the three.
    """
    values = [*read_fields(base64.b64decode(text, validate=True))]
    params = [value for number, value in values if number == PARAMETERS]
    evaluations = [value for number, value in values if number == EVALUATIONS]
    if not params or not isinstance(params[-1], int) or len(evaluations) <= END:
        raise ValueError("a record lacks its parameters or its final evaluation")
    last = evaluations[END]
    final = dict(read_fields(last)) if isinstance(last, bytes) else {}
    return _accuracy(final, VALIDATION), _accuracy(final, TEST), params[-1]


def _accuracy(final: Mapping[int, int | float | bytes], number: int) -> float:
    value = final.get(number)
    if not isinstance(value, float) or not math.isfinite(value) or not 0 <= value <= 1:
        name = "validation" if number == VALIDATION else "test"
        raise ValueError(f"a record has no {name} accuracy from 0 to 1")
    return value


def _architecture(adjacency: str, operations: str) -> NASBench101Architecture:
    """Return the architecture of a matrix, written row by row, and operations.

    Raises:
        ValueError: they are not a module of the benchmark.
    """
    names = operations.split(",")
    size = len(names)
    if (names[0], names[-1]) != ("input", "output") or len(adjacency) != size * size:
        raise ValueError(
            f"a record has no module, but {excerpt(adjacency)} and {excerpt(operations)}"
        )
    if set(adjacency) - {"0", "1"}:
        raise ValueError(f"a record has a matrix of other than 0 and 1, {excerpt(adjacency)}")
    matrix = [[int(bit) for bit in adjacency[size * row :][:size]] for row in range(size)]
    return module_101(matrix, [name.removesuffix(SUFFIX) for name in names[1:-1]])


def _targets(
    path: Path, modules: Mapping[str, _Module]
) -> dict[str, np.typing.NDArray[np.float64]]:
    """Return target → accuracies in % (n,), of all lengths of trainings in the file."""
    known = {epochs for module in modules.values() for epochs in module.sums}
    results = {}
    for epochs in (item for item in EPOCHS if item in known):
        for key, module in modules.items():
            if epochs not in module.sums:
                raise DataError(
                    f"{path} has no training of {epochs} epochs of the module {excerpt(key)}, but "
                    "of others: copy or download the official file again"
                )
        sums = np.array([module.sums[epochs] for module in modules.values()])
        end = "" if epochs == EPOCHS[0] else f"-{epochs}ep"
        for name, column in (("cifar10", 1), ("cifar10-valid", 0)):
            values = sums[:, column] / sums[:, 2]
            check_varies(values, f"{path}: {name}{end}")
            results[f"{name}{end}"] = values
    return results


def _convolutions_in_sequence(arch: NASBench101Architecture) -> float:
    """Return the largest number of convolutions on a path from input to output."""
    last = len(arch.operations) + 1
    # Longest path from the input by dynamic programming; edges lead to later vertices.
    depth = [0.0] + [-math.inf] * last
    for vertex in range(1, last + 1):
        before = [depth[source] for source in range(vertex) if arch.has(source, vertex)]
        is_convolution = vertex < last and arch.operations[vertex - 1].startswith("conv")
        depth[vertex] = max(before, default=-math.inf) + is_convolution
    return depth[last]
