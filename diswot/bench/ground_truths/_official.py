"""Converter of the official file of NAS-Bench-201 to a small CSV table."""

import csv
import io
import math
import pickle
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from nas_201_api import ArchResults

from diswot.bench.ground_truths._plain_pickle import PlainUnpickler, is_permanent
from diswot.csv_table import one_line
from diswot.errors import DataError, first_line
from diswot.files import open_file
from diswot.progress import Progress, Step, silent
from diswot.runs.folder import replace_file
from search_spaces import NASBench201Space

BUDGETS = {"": "full", "_12ep": "less"}
"""Suffix of columns → key of an entry: trainings of 200 and of 12 epochs."""

MEASURED = {
    "c10_test": ("cifar10", "ori-test"),
    "c100_test": ("cifar100", "x-test"),
    "in16_test": ("ImageNet16-120", "x-test"),
    "c10valid_valid": ("cifar10-valid", "x-valid"),
    "c100_valid": ("cifar100", "x-valid"),
    "in16_valid": ("ImageNet16-120", "x-valid"),
}
"""Column → the benchmark's names of its training set and evaluation split."""

COLUMNS = tuple(f"{column}{end}" for end in BUDGETS for column in MEASURED)
COSTS = {"flops_M": "flops", "params_M": "params"}
MAGIC = 0x1950A86A20F9469CFC6C
"""Magic number of files of torch.save in the format of PyTorch up to 1.5."""

MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Conversion:
    """The result of a conversion.

    Attributes:
        architectures: number of rows.
        columns: columns of accuracies in the table.
        left_out: columns that are missing because some architectures lack them.
    """

    architectures: int
    columns: tuple[str, ...]
    left_out: tuple[str, ...]


def table_from_official(path: Path, out: Path, *, progress: Progress = silent) -> Conversion:
    """Convert `NAS-Bench-201-v1_1-096897.pth` or `-v1_0-e61699.pth` to a CSV table.

    The table has the columns of `nas-bench-201/accuracies.csv`, and those of
    ImageNet16-120: test and validation accuracies in % (`c10_`, `c100_`, `in16_`) after 200
    epochs and after 12 (`…_12ep`), means over seeds, and costs with the 100-class head.
    Saved to that path under the data root it is the ground truth `nas-bench-201`.

    The pickle is not executed: only containers, strings and numbers are created, and weights
    are skipped. After an entry is read, only its row is kept, so memory is limited to the
    largest entry, 15,625 rows and the pickle's memo of short strings: some hundred MB, while
    loading the official file with torch.load reportedly takes 28 GB.

    Args:
        path: the official file.
        out: the CSV file to write.
        progress: called with the number of MB read.

    Raises:
        DataError: the file is missing, truncated, or has other content.
    """
    total = _size(path)
    if not out.parent.is_dir():
        raise DataError(f"there is no folder {out.parent} for the table: create it")

    def row_of(entry: dict[Any, Any]) -> "_Row | None":
        if entry.keys() != set(BUDGETS.values()):
            return None
        progress(Step("read, in MB", min(file.tell() // MEGABYTE, total), total))
        return _row(entry)

    try:
        with _opened(path) as file:
            reader = PlainUnpickler(file, replaced=row_of, permanent=_can_recur)
            rows = _checked(reader.load())
            while file.read(MEGABYTE):  # to the end, where a damaged archive is found out
                pass
    except Exception as error:  # a damaged file can raise anything
        reason = one_line(first_line(error)) or type(error).__name__
        raise DataError(
            f"{path} is not a complete NAS-Bench-201 file ({reason}): "
            "copy or download the official file again"
        ) from error
    return _written(rows, out)


@dataclass(frozen=True)
class _Row:
    """A row of the table; accuracies that were not measured are `None`."""

    index: int
    arch: str
    accuracies: Mapping[str, float | None]
    costs: Mapping[str, float]


def _can_recur(value: Any) -> bool:
    """Return whether later entries may refer to a value of this one.

    Names of fields and datasets, and types, are shared by all entries. Containers, numbers,
    and the keys of evaluations, texts like `x-valid@11`, belong to one training.
    """
    return "@" not in value if isinstance(value, str) else is_permanent(value)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size // MEGABYTE
    except (OSError, ValueError) as error:
        raise DataError(f"there is no file {path}: check the path") from error


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """Open the pickle in a file of torch.save, in its legacy or its zip format."""
    with open_file(path) as whole:
        if zipfile.is_zipfile(whole):
            with zipfile.ZipFile(whole) as archive:
                (name,) = (name for name in archive.namelist() if name.endswith("/data.pkl"))
                if archive.getinfo(name).compress_type != zipfile.ZIP_STORED:
                    raise pickle.UnpicklingError("its content is compressed")
                with archive.open(name) as member, io.BufferedReader(member) as file:  # type: ignore[type-var]
                    yield file
            return
        whole.seek(0)
        if PlainUnpickler(whole).load() != MAGIC:
            raise pickle.UnpicklingError("torch.save did not write it")
        for _ in ("protocol version", "system"):
            PlainUnpickler(whole).load()
        yield whole


def _row(entry: Mapping[str, Any]) -> _Row:
    trainings = {
        end: ArchResults.create_from_state_dict(entry[part]) for end, part in BUDGETS.items()
    }
    full = trainings[""]
    costs = full.get_compute_costs("cifar100")
    return _Row(
        int(full.arch_index),
        str(full.arch_str),
        {
            f"{column}{end}": _accuracy(training, *where)
            for end, training in trainings.items()
            for column, where in MEASURED.items()
        },
        {column: _finite(costs[name]) for column, name in COSTS.items()},
    )


def _accuracy(arch_results: ArchResults, dataset: str, evaluation: str) -> float | None:
    if dataset not in arch_results.dataset_seed:
        return None
    try:
        return _finite(arch_results.get_metrics(dataset, evaluation)["accuracy"])
    except KeyError:  # not every training was evaluated on everything
        return None


def _finite(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"an accuracy or cost is {number}")
    return number


def _checked(content: Any) -> list[_Row]:
    """Return the rows by index, after checking that they are distinct cells of the space."""
    names, entries = content["meta_archs"], content["arch2infos"]
    space = NASBench201Space()
    rows = [entries[index][None] for index in sorted(entries)]
    for index, row in zip(sorted(entries), rows, strict=True):
        if not isinstance(row, _Row) or row.index != index or names[index] != row.arch:
            raise ValueError(f"its entry {index} belongs to another architecture")
        space.from_string(row.arch)
    if not rows or len({row.arch for row in rows}) != len(rows):
        raise ValueError("it has no architectures, or the same one twice")
    return rows


def _written(rows: list[_Row], out: Path) -> Conversion:
    complete = [name for name in COLUMNS if all(row.accuracies[name] is not None for row in rows)]
    space = NASBench201Space()

    def write(partial: Path) -> None:
        with partial.open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(["index", "arch", "unique", *complete, *COSTS])
            for row in rows:
                key = space.canonical_key(space.from_string(row.arch))
                accuracies = [f"{row.accuracies[name]:.6g}" for name in complete]
                costs = [f"{value:.6g}" for value in row.costs.values()]
                table.writerow([row.index, row.arch, key, *accuracies, *costs])

    replace_file(out, write)
    left_out = tuple(name for name in COLUMNS if name not in complete)
    return Conversion(len(rows), tuple(complete), left_out)
