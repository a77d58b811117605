"""How long the network of an architecture takes: measured, looked up, or predicted."""

from diswot.latency._calibration import calibrate
from diswot.latency._finding import find_latency
from diswot.latency._latency import Latency
from diswot.latency._measured import LatencyMeasurement, MeasuredLatency, time_network
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
    "Calibrated",
    "Latency",
    "LatencyMeasurement",
    "LatencyTable",
    "MeasuredLatency",
    "OperatorTable",
    "PredictedLatency",
    "PredictionError",
    "calibrate",
    "find_latency",
    "operators_of",
    "read_latency_table",
    "read_operator_table",
    "time_network",
    "write_operator_table",
]
