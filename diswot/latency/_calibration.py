"""Calibration: measure the operators of a space once, to predict latencies from them."""

import platform
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from diswot.errors import OptionError, SpaceError
from diswot.latency._measured import LatencyMeasurement, MeasuredLatency, batch_of, unusable
from diswot.latency._operators import operators_of, time_operators
from diswot.latency._predicted import (
    Calibrated,
    OperatorTable,
    PredictionError,
    total_ms,
    without_facts,
)
from diswot.options import EAGER, takes_options
from diswot.progress import Progress, silent, tracked
from diswot.seeding import generator_for
from search_spaces import Architecture, SearchSpace, Signature

Vector: TypeAlias = NDArray[np.float64]

Counts: TypeAlias = Mapping[Architecture, Counter[str]]
"""For each architecture, how often its network calls each operator."""

FEWEST = 6
"""Minimal number of architectures, some to fit the line and some to measure its error."""

ROUNDS = 3
"""Number of measuring rounds; the fastest times are used, because other load only adds time."""

SECONDS = 0.1
"""Time for which a network is timed in each round."""

HELD_OUT = 3
"""Every third architecture is held out to measure the prediction error."""

DRAWS = 100
"""Number of draws per architecture after which a space counts as exhausted."""


@takes_options
def calibrate(
    space: SearchSpace,
    signature: Signature,
    device: str = "cpu",
    *,
    threads: int = 1,
    batch: int = 1,
    form: str = EAGER,
    sample: int = 60,
    seed: int = 0,
    progress: Progress = silent,
) -> OperatorTable:
    """Measure every operator that occurs in a random sample of architectures.

    A latency is predicted as intercept + slope × the sum of the operators' times. The line
    accounts for caches and for Python's overhead between operators. It minimizes squared
    relative errors on two thirds of the sample, with non-negative slope and intercept; the
    error is measured on the other third. Times are the fastest tenth of the runs of three
    rounds.

    Operators are always timed in eager PyTorch, because ONNX Runtime and `torch.compile` fuse
    them. The line maps them to times of whole networks in the chosen runtime; the held-out
    error shows how accurate that is.

    Args:
        space: the search space.
        signature: shapes of the networks' inputs and outputs.
        device: torch device.
        threads: threads of the runtime.
        batch: examples per forward pass.
        form: runtime to predict: `eager`, `onnx` or `torch-compile`.
        sample: number of architectures; fewer if the space is smaller.
        seed: seed of the sample.
        progress: receives a step per architecture.

    Returns:
        The table of operators, which `write_operator_table` saves.

    Raises:
        OptionError: a number is too small, or the space has too few architectures.
        SpaceError: a network cannot be built or run.
    """
    _check(threads=(threads, 1), batch=(batch, 1), sample=(sample, FEWEST))
    drawn = _drawn(space, sample, seed)
    counts = {arch: operators_of(space, arch, signature, batch=batch) for arch in drawn}
    timed = MeasuredLatency(space, signature, device, batch, threads, SECONDS, form)
    return _fitted(timed, counts, _Times.of(timed, counts, progress))


def _check(**numbers: tuple[int, int]) -> None:
    for name, (value, least) in numbers.items():
        if value < least:
            raise OptionError(f"Expected {name} of at least {least}, but got {value}")


def _drawn(space: SearchSpace, count: int, seed: int) -> list[Architecture]:
    rng = generator_for(seed, "calibration")
    results: dict[Architecture, None] = {}
    for _ in range(DRAWS * count):
        results[space.sample(rng)] = None
        if len(results) == count:
            break
    if len(results) < FEWEST:
        raise OptionError(
            f"the space has {len(results)} architectures, but a calibration needs {FEWEST}: "
            f"measure them instead"
        )
    return list(results)


@dataclass(frozen=True)
class _Round:
    """One round of measurements: milliseconds of each operator and each network."""

    operators: Mapping[str, float]
    networks: Sequence[LatencyMeasurement]

    @classmethod
    def of(
        cls, timed: MeasuredLatency, counts: Counts, progress: Progress, *, stage: str
    ) -> "_Round":
        """Measure every network, and each operator in the first network that has it."""
        operators: dict[str, float] = {}
        networks = []
        for arch, count in tracked(counts.items(), progress, stage, len(counts)):
            if missing := count.keys() - operators.keys():
                operators |= _times_in(timed, arch, missing)
            networks.append(timed.measure(arch))
        return cls(operators, networks)


@dataclass(frozen=True)
class _Times:
    """Summary of several rounds.

    Attributes:
        operators: fastest time of each operator, in milliseconds.
        networks: fastest time of each network (n,), in milliseconds.
        measurement_noise: median of (median run / fast run − 1) over networks and rounds.
    """

    operators: Mapping[str, float]
    networks: Vector
    measurement_noise: float

    @classmethod
    def of(cls, timed: MeasuredLatency, counts: Counts, progress: Progress) -> "_Times":
        """Run all rounds, and keep the fastest time of each operator and each network."""
        rounds = [
            _Round.of(timed, counts, progress, stage=f"round {number}")
            for number in range(1, ROUNDS + 1)
        ]
        runs = [item.networks for item in rounds]
        slower = [one.median_ms / one.fast_ms for item in runs for one in item]
        return cls(
            {name: min(item.operators[name] for item in rounds) for name in rounds[0].operators},
            np.array([[one.fast_ms for one in item] for item in runs]).min(axis=0),
            float(np.median(slower)) - 1,
        )


def _fitted(timed: MeasuredLatency, counts: Counts, times: _Times) -> OperatorTable:
    """Fit the line from sums of operators to networks, and measure its held-out error."""
    sums = np.array([total_ms(times.operators, count) for count in counts.values()])
    # Fit on two thirds of the networks, measure the error on the others.
    held_out = np.arange(len(counts)) % HELD_OUT == HELD_OUT - 1
    intercept, slope = _line(sums[~held_out], times.networks[~held_out])
    predicted = intercept + slope * sums
    rows = zip(counts, times.networks, predicted, held_out, strict=True)
    return OperatorTable(
        space=type(timed.space).__name__,
        signature=without_facts(timed.signature),
        device=timed.device,
        machine=_machine(timed.device),
        batch=timed.batch,
        threads=timed.threads or 1,
        form=timed.form,
        operators=times.operators,
        slope=slope,
        intercept=intercept,
        error=_error(predicted[held_out], times.networks[held_out]),
        measurement_noise=times.measurement_noise,
        architectures=tuple(
            Calibrated(timed.space.to_string(arch), float(whole), float(said), bool(apart))
            for arch, whole, said, apart in rows
        ),
    )


def _times_in(timed: MeasuredLatency, arch: Architecture, names: Set[str]) -> Mapping[str, float]:
    """Measure some operators within the network of an architecture, in milliseconds."""
    space = timed.space
    try:
        network = timed.network(arch).to(timed.device).eval()
        inputs = batch_of(timed.signature, timed.batch, device=timed.device)
        result = time_operators(network, inputs, names, threads=timed.threads or 1)
    except Exception as error:  # a space of the user's own can raise anything
        raise unusable(space, arch, error) from error
    if lost := names - result.keys():
        raise SpaceError(
            f"architecture {space.to_string(arch)}: its network runs other operators on "
            f"{timed.device} than on the meta device ({min(lost)}), so its latency cannot be "
            "predicted: measure it (--latency eager)"
        )
    return result


def _line(sums: Vector, networks: Vector) -> tuple[float, float]:
    """Return non-negative intercept and slope that minimize squared relative errors."""
    from scipy.optimize import nnls  # here and below: few commands need it, and it is slow

    terms = np.stack([np.ones_like(sums), sums], axis=1) / networks[:, None]
    (intercept, slope), _ = nnls(terms, np.ones_like(networks))
    return float(intercept), float(slope)


def _error(predicted: Vector, networks: Vector) -> PredictionError:
    relative = np.abs(predicted - networks) / networks
    varied = min(np.ptp(predicted), np.ptp(networks)) > 0
    from scipy.stats import spearmanr

    return PredictionError(
        architectures=len(networks),
        median=float(np.median(relative)),
        p90=float(np.quantile(relative, 0.9)),
        spearman=float(spearmanr(predicted, networks).statistic) if varied else None,
    )


def _machine(device: str) -> str:
    if device.startswith("cuda"):
        return torch.cuda.get_device_name(device)
    return platform.processor() or platform.machine()
