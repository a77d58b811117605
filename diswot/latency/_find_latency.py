"""Find the latency source for a text: a runtime, a table or a calibration."""

from collections.abc import Callable
from pathlib import Path

from torch import nn

from diswot.csv_table import read_csv
from diswot.errors import OptionError
from diswot.latency._forms import FORMS, check_form, is_measured
from diswot.latency._latency import Latency
from diswot.latency._measured import MeasuredLatency
from diswot.latency._predicted import PredictedLatency, read_operator_table
from diswot.latency._table import read_latency_table
from diswot.options import EAGER, MEASURED, takes_options
from search_spaces import Architecture, SearchSpace, Signature


@takes_options
def find_latency(
    spec: str,
    *,
    space: SearchSpace,
    signature: Signature,
    device: str = "cpu",
    threads: int = 1,
    column: str | None = None,
    build: Callable[[Architecture], nn.Module] | None = None,
) -> Latency:
    """Return a function from architectures to latencies in milliseconds.

    Args:
        spec: a runtime to measure in (`eager`, `onnx` or `torch-compile`), a table (`.csv`), or
            a file of `diswot latency calibrate` (`.json`).
        space: the search space.
        signature: shapes of the networks' inputs and outputs.
        device: torch device for measurements; ignored for files.
        threads: threads of the runtime for measurements.
        column: column of milliseconds, for tables with several columns.
        build: builds the network of an architecture for measurements; by default the space.

    Raises:
        OptionError: `spec` is none of these, a column is given without a table, or the runtime
            does not support the device.
        MissingExtraError: the runtime is not installed.
        UnknownNameError: the table has no such column.
        DataError: the file is missing, damaged, or made for another space or other inputs.
    """
    check_latency(spec, column=column, device=device)
    if is_measured(spec):
        form = EAGER if spec == MEASURED else spec
        return MeasuredLatency(space, signature, device, threads=threads, form=form, build=build)
    if Path(spec).suffix == ".csv":
        return read_latency_table(Path(spec), space=space, column=column)
    return PredictedLatency(read_operator_table(Path(spec)), space, signature)


def check_latency(spec: str, *, column: str | None = None, device: str = "cpu") -> None:
    """Check a latency option before space and data are loaded.

    Args:
        spec: a runtime, a table (`.csv`) or a calibration (`.json`).
        column: column of milliseconds of a table.
        device: torch device for measurements.

    Raises:
        OptionError: `spec` is none of these, a column is given without a table, or the runtime
            does not support the device.
        MissingExtraError: the runtime is not installed.
        DataError: the file is missing or damaged.
    """
    kind = Path(spec).suffix
    if column is not None and kind != ".csv":
        raise OptionError(
            f"--latency-column names a column of a table (.csv), but the latency is {spec!r}: "
            "leave one of the two out"
        )
    if spec in FORMS:
        check_form(spec, device)
    elif kind == ".csv":
        read_csv(Path(spec))
    elif kind == ".json":
        read_operator_table(Path(spec))
    elif spec != MEASURED:
        raise OptionError(
            f"Expected the latency to be {', '.join(FORMS)}, a table (.csv) or a calibration "
            f"(.json), but got {spec!r}"
        )
