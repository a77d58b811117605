"""From what a user writes to a latency."""

from pathlib import Path

from diswot.csv_table import read_csv
from diswot.errors import OptionError
from diswot.latency._forms import FORMS, check_form, is_measured
from diswot.latency._latency import Latency
from diswot.latency._measured import MeasuredLatency
from diswot.latency._predicted import PredictedLatency, read_operator_table
from diswot.latency._table import read_latency_table
from diswot.options import EAGER, MEASURED, takes_options
from search_spaces import SearchSpace, Signature


@takes_options
def find_latency(
    spec: str,
    *,
    space: SearchSpace,
    signature: Signature,
    device: str = "cpu",
    threads: int = 1,
    column: str | None = None,
) -> Latency:
    """Return the latency that is meant.

    Args:
        spec: what is measured here, `eager`, `onnx` or `torch-compile`; a table (`.csv`); or
            what `diswot latency calibrate` wrote (`.json`).
        space: the space of the architectures that will be asked for.
        signature: what its networks take and give.
        device: where to measure; tables hold what was measured elsewhere.
        threads: of what is measured.
        column: the column of milliseconds of a table of several.

    Raises:
        OptionError: it is none of these, a column is named of what has none, or the form
            cannot run on the device.
        MissingExtraError: the form's runtime is not installed.
        UnknownNameError: the table has no such column.
        DataError: the file is missing, damaged, or made for another space or other inputs.
    """
    check_latency(spec, column=column, device=device)
    if is_measured(spec):
        form = EAGER if spec == MEASURED else spec
        return MeasuredLatency(space, signature, device, threads=threads, form=form)
    if Path(spec).suffix == ".csv":
        return read_latency_table(Path(spec), space=space, column=column)
    return PredictedLatency(read_operator_table(Path(spec)), space, signature)


def check_latency(spec: str, *, column: str | None = None, device: str = "cpu") -> None:
    """Check a latency without a space or data.

    Raises:
        OptionError: it is no latency, a column is named of what has none, or the form cannot
            run on the device.
        MissingExtraError: the form's runtime is not installed.
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
