"""All regression cases, and the file with their recorded results."""

import os
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tests.regression.places import Places, Record
from tests.regression.scores import score_cases
from tests.regression.searches import search_cases
from tests.regression.trainings import training_cases

FIXTURES = Path(__file__).with_name("fixtures.json")
NEEDS_SHARED = ("score/cells", "score/autoformer")
"""Beginnings of the names of cases that read the reference data; others end in ` on …`."""


def cases() -> dict[str, Callable[[Places], Record]]:
    """Return the cases by name."""
    return {**score_cases(), **search_cases(), **training_cases()}


def needs_shared(name: str) -> bool:
    """Return whether a case reads the reference data."""
    return name.startswith(NEEDS_SHARED) or " on " in name


def environment() -> dict[str, Any]:
    """Return the properties of the machine that the last digits of a result depend on."""
    return {
        "torch": torch.__version__,
        "numpy": np.__version__,
        "machine": platform.machine(),
        "kernels": torch.backends.cpu.get_cpu_capability(),
        "processor": _processor(),
    }


def _processor() -> str:
    """Return the name of the processor, by which libraries choose their kernels."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text("utf-8").splitlines() if os.access(info, os.R_OK) else []
    wanted = ("vendor_id", "cpu family", "model\t", "model name")
    return " ".join(
        dict.fromkeys(line.split(":", 1)[1].strip() for line in lines if line.startswith(wanted))
    )
