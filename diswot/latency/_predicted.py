"""Predict latencies from a table of operators that was measured once."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from diswot.errors import DataError, OptionError, SpaceError, first_line
from diswot.files import read_file
from diswot.latency._forms import FORMS
from diswot.latency._operators import operators_of
from diswot.options import EAGER, RUNTIMES
from diswot.runs import checked
from diswot.runs.folder import write_record
from diswot.tasks import read_signature
from search_spaces import Architecture, SearchSpace, Signature

SCHEMA = 1
AGAIN = "make it again with diswot latency calibrate"


@dataclass(frozen=True)
class Calibrated:
    """One architecture of a calibration.

    Attributes:
        architecture: name of the architecture.
        measured_ms: measured latency of its network, in milliseconds.
        predicted_ms: predicted latency, in milliseconds.
        held_out: whether it was left out when the line was fitted.
    """

    architecture: str
    measured_ms: float
    predicted_ms: float
    held_out: bool


@dataclass(frozen=True)
class PredictionError:
    """Prediction error on held-out architectures.

    Attributes:
        architectures: number of held-out architectures.
        median: median of |predicted − measured| / measured.
        p90: 90 % quantile of |predicted − measured| / measured.
        spearman: Spearman rank correlation; `None` if all values are equal.
    """

    architectures: int
    median: float
    p90: float
    spearman: float | None


@dataclass(frozen=True)
class OperatorTable:
    """Times of a space's operators on a device, with the line that predicts latencies.

    Attributes:
        space: class of the search space.
        signature: shapes of the networks' inputs and outputs, without facts.
        device: torch device.
        machine: name of the processor or accelerator.
        batch: examples per forward pass.
        threads: threads of the runtime.
        operators: milliseconds of each operator.
        slope: factor of the sum of operators.
        intercept: added to it, in milliseconds.
        error: error on held-out architectures.
        measurement_noise: median of (median run / fast run − 1) of the networks; large values
            mean a busy machine and less accurate predictions.
        architectures: the architectures that were measured as a whole.
        form: runtime that is predicted: `eager`, `onnx` or `torch-compile`.
    """

    space: str
    signature: Signature
    device: str
    machine: str
    batch: int
    threads: int
    operators: Mapping[str, float]
    slope: float
    intercept: float
    error: PredictionError
    measurement_noise: float
    architectures: tuple[Calibrated, ...]
    form: str = EAGER

    def predict(self, operators: Mapping[str, int]) -> float:
        """Predict the latency of a network in milliseconds.

        Args:
            operators: number of calls by name of the operator.

        Raises:
            KeyError: an operator was not measured.
        """
        return self.intercept + self.slope * total_ms(self.operators, operators)


def total_ms(ms: Mapping[str, float], operators: Mapping[str, int]) -> float:
    """Return the sum of the operators' times, weighted by their numbers of calls."""
    return sum(count * ms[name] for name, count in operators.items())


@dataclass(frozen=True)
class PredictedLatency:
    """A latency source that predicts latencies from an operator table.

    Attributes:
        table: the calibration.
        space: the search space.
        signature: shapes of the networks' inputs and outputs.

    Raises:
        DataError: the table was made for another space, or other inputs or outputs.
    """

    table: OperatorTable
    space: SearchSpace
    signature: Signature

    repeatable = True

    def __post_init__(self) -> None:
        # Latency does not depend on the normalization in `facts`, so that is not compared.
        made_for = self.table.space, without_facts(self.table.signature)
        asked = type(self.space).__name__, without_facts(self.signature)
        if made_for != asked:
            raise DataError(
                f"the calibration is for {_described(*made_for)}, but latencies are needed for "
                f"{_described(*asked)}: {AGAIN}"
            )

    @property
    def name(self) -> str:
        """Description: runtime, device, batch and threads of the calibration."""
        table = self.table
        return (
            f"predicted for {RUNTIMES[table.form]} on {table.device}, batch {table.batch}, "
            f"threads {table.threads}"
        )

    def __call__(self, arch: Architecture) -> float:
        """Return the predicted latency of `arch` in milliseconds.

        Raises:
            SpaceError: its network has an operator that was not measured, or cannot be built.
        """
        operators = operators_of(self.space, arch, self.signature, batch=self.table.batch)
        try:
            return self.table.predict(operators)
        except KeyError as error:
            raise SpaceError(
                f"architecture {self.space.to_string(arch)} has an operator that was not measured, "
                f"{error.args[0]}: calibrate with more architectures than "
                f"{len(self.table.architectures)} (diswot latency calibrate --sample)"
            ) from error


def without_facts(signature: Signature) -> Signature:
    """Return the signature without facts, on which latencies do not depend."""
    return replace(signature, facts={})


def _described(space: str, signature: Signature) -> str:
    return f"{space} with {signature.describe()} and {signature.outputs} outputs"


def write_operator_table(table: OperatorTable, path: Path) -> None:
    """Write `table` as JSON, atomically.

    Raises:
        OptionError: the file cannot be written.
    """
    try:
        signature = {"signature": table.signature.to_json()}
        write_record(path, {"schema": SCHEMA} | asdict(table) | signature)
    except OSError as error:
        raise OptionError(
            f"{path} cannot be written ({error.strerror}): name another file with --out"
        ) from error


def read_operator_table(path: Path) -> OperatorTable:
    """Read a table that `write_operator_table` wrote.

    Raises:
        DataError: the file is missing, damaged, or of another version.
    """
    try:
        content = json.loads(read_file(path).decode("utf-8"))
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}): check the path") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is not JSON ({first_line(error)}): {AGAIN}") from error
    if not isinstance(content, dict) or "schema" not in content:
        raise DataError(f"{path} is not a calibration: {AGAIN}")
    # The file may be edited or damaged: all values are checked for type and range.
    if content["schema"] != SCHEMA:
        raise DataError(
            f"{path} is a calibration of schema {content['schema']!r}, expected {SCHEMA}: {AGAIN}"
        )
    try:
        return _from_json(checked(content))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(f"{path} is damaged ({type(error).__name__}: {error}): {AGAIN}") from error


def _from_json(content: Mapping[str, Any]) -> OperatorTable:
    error = content["error"]
    rank = error["spearman"]
    return OperatorTable(
        space=_text(content["space"]),
        signature=read_signature(content),
        device=_text(content["device"]),
        machine=_text(content["machine"]),
        batch=_count(content["batch"]),
        threads=_count(content["threads"]),
        operators={_text(name): _number(ms) for name, ms in content["operators"].items()},
        slope=_number(content["slope"]),
        intercept=_number(content["intercept"]),
        error=PredictionError(
            _count(error["architectures"]),
            _number(error["median"]),
            _number(error["p90"]),
            None if rank is None else _number(rank, least=-1),
        ),
        measurement_noise=_number(content.get("measurement_noise", content.get("disturbance"))),
        architectures=tuple(
            Calibrated(
                _text(row["architecture"]),
                _number(row["measured_ms"]),
                _number(row["predicted_ms"]),
                bool(row["held_out"]),
            )
            for row in content["architectures"]
        ),
        form=_form(content.get("form", EAGER)),
    )


def _form(value: object) -> str:
    if value not in FORMS:
        raise ValueError(f"expected one of {', '.join(FORMS)}, but got {value!r}")
    return str(value)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected text, but got {value!r}")
    return value


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"expected a whole number of at least 1, but got {value!r}")
    return value


def _number(value: object, *, least: float = 0) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"expected a number, but got {value!r}")
    if not (math.isfinite(value) and value >= least):
        raise ValueError(f"expected a finite number of at least {least}, but got {value!r}")
    return float(value)
