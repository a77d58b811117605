"""From what a user writes to a latency."""

from pathlib import Path

from diswot.data import ImageSpec
from diswot.errors import OptionError
from diswot.latency._latency import Latency
from diswot.latency._measured import MeasuredLatency
from diswot.latency._predicted import PredictedLatency, read_operator_table
from diswot.latency._table import read_latency_table
from diswot.options import takes_options
from search_spaces import SearchSpace

MEASURED = "measured"


@takes_options
def find_latency(
    spec: str,
    *,
    space: SearchSpace,
    images: ImageSpec,
    device: str = "cpu",
    column: str | None = None,
) -> Latency:
    """Return the latency that is meant.

    Args:
        spec: `measured`, a table (`.csv`), or what `diswot latency calibrate` wrote (`.json`).
        space: the space of the architectures that will be asked for.
        images: the images that its networks take.
        device: where to measure; tables hold what was measured elsewhere.
        column: the column of milliseconds of a table of several.

    Raises:
        OptionError: it is none of these, or a column is named of what has none.
        UnknownNameError: the table has no such column.
        DataError: the file is missing, damaged, or made for another space or other images.
    """
    kind = Path(spec).suffix
    if column is not None and kind != ".csv":
        raise OptionError(
            f"--latency-column names a column of a table (.csv), but the latency is {spec!r}: "
            "leave one of the two out"
        )
    if spec == MEASURED:
        return MeasuredLatency(space, images, device)
    if kind == ".csv":
        return read_latency_table(Path(spec), space=space, column=column)
    if kind == ".json":
        return PredictedLatency(read_operator_table(Path(spec)), space, images)
    raise OptionError(
        f"Expected the latency to be measured, a table (.csv) or a calibration (.json), "
        f"but got {spec!r}"
    )
