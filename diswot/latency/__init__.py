"""Latencies of architectures: measured, looked up in a table, or predicted."""

from diswot.latency._calibration import calibrate
from diswot.latency._find_latency import check_latency, find_latency
from diswot.latency._forms import FORMS, check_form, default_form, is_measured
from diswot.latency._latency import Latency
from diswot.latency._measured import (
    LatencyMeasurement,
    MeasuredLatency,
    UnusableNetworkError,
    time_network,
)
from diswot.latency._operators import operators_of
from diswot.latency._predicted import (
    Calibrated,
    OperatorTable,
    PredictedLatency,
    PredictionError,
    read_operator_table,
    write_operator_table,
)
from diswot.latency._table import LatencyTable, read_latency_table

__all__ = [
    "FORMS",
    "Calibrated",
    "Latency",
    "LatencyMeasurement",
    "LatencyTable",
    "MeasuredLatency",
    "OperatorTable",
    "PredictedLatency",
    "PredictionError",
    "UnusableNetworkError",
    "calibrate",
    "check_form",
    "check_latency",
    "default_form",
    "find_latency",
    "is_measured",
    "operators_of",
    "read_latency_table",
    "read_operator_table",
    "time_network",
    "write_operator_table",
]
