"""Latency predicted from a table of operators, which was measured once."""

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
        architecture: its name in its space.
        measured_ms: median of the whole network.
        predicted_ms: what the table says.
        held_out: whether the line was fitted without it.
    """

    architecture: str
    measured_ms: float
    predicted_ms: float
    held_out: bool


@dataclass(frozen=True)
class PredictionError:
    """How far predictions are from what was measured, on architectures that were held out.

    Attributes:
        architectures: how many.
        median: median of |predicted − measured| / measured.
        p90: what 90 % of them are within.
        spearman: rank correlation of predicted and measured; `None` where all are equal.
    """

    architectures: int
    median: float
    p90: float
    spearman: float | None


@dataclass(frozen=True)
class OperatorTable:
    """What each operator of a space takes on a device, and how to add them up.

    Attributes:
        space: the class of the space.
        signature: what its networks take and give, without facts.
        device: where it was measured.
        machine: the processor or accelerator, in words.
        batch: examples in one pass.
        threads: threads that the runtime could use.
        operators: milliseconds of each operator alone.
        slope: what their sum is multiplied by.
        intercept: what is added to it, in milliseconds.
        error: on architectures that were held out.
        measurement_noise: by what share the median run of a network was slower than its fast
            runs, typically; large on a busy machine, on which tables err more.
        architectures: what was measured as a whole.
        form: what is predicted: networks as `eager`, `onnx` or `torch-compile` runs them.
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
        """Return the milliseconds of a network that calls each operator so often.

        Raises:
            KeyError: one was not measured.
        """
        return self.intercept + self.slope * total_ms(self.operators, operators)


def total_ms(ms: Mapping[str, float], operators: Mapping[str, int]) -> float:
    """Return the sum over the operators, each as often as it is called."""
    return sum(count * ms[name] for name, count in operators.items())


@dataclass(frozen=True)
class PredictedLatency:
    """Latency as an operator table predicts it.

    Raises:
        DataError: the table is of another space, or of other inputs or outputs.
    """

    table: OperatorTable
    space: SearchSpace
    signature: Signature

    repeatable = True

    def __post_init__(self) -> None:
        made_for = self.table.space, without_facts(self.table.signature)
        asked = type(self.space).__name__, without_facts(self.signature)
        if made_for != asked:
            raise DataError(
                f"the calibration is of {_described(*made_for)}, but latencies are asked for of "
                f"{_described(*asked)}: {AGAIN}"
            )

    @property
    def name(self) -> str:
        """Runtime, device, batch and threads of the calibration."""
        table = self.table
        return (
            f"predicted for {RUNTIMES[table.form]} on {table.device}, batch {table.batch}, "
            f"threads {table.threads}"
        )

    def __call__(self, arch: Architecture) -> float:
        """Return the milliseconds of `arch`.

        Raises:
            SpaceError: it has an operator that the table lacks, or cannot be built.
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
    """Return what latencies depend on."""
    return replace(signature, facts={})


def _described(space: str, signature: Signature) -> str:
    return f"{space} with {signature.describe()} and {signature.outputs} outputs"


def write_operator_table(table: OperatorTable, path: Path) -> None:
    """Write `table` as JSON, whole or not at all.

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
    """Read what `write_operator_table` wrote.

    Raises:
        DataError: the file is missing, damaged, or of another version.
    """
    try:
        content = json.loads(read_file(path).decode("utf-8"))
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}): check the path") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is no JSON ({first_line(error)}): {AGAIN}") from error
    if not isinstance(content, dict) or "schema" not in content:
        raise DataError(f"{path} is no calibration: {AGAIN}")
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
