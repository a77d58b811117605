"""Folders that the regression cases read from and write to."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

SHARED = Path(__file__).parents[3] / "shared" / "data"
"""The folder of reference data that lies next to the checkout."""

Record: TypeAlias = dict[str, Any]
"""What a case computes, as JSON writes it; JSON keeps every digit of a float."""


@dataclass(frozen=True)
class Places:
    """Folders of one case.

    Attributes:
        scratch: an empty folder to write to.
        shared: the reference data.
        cache: a data root that cases share, for what is slow to decode.
    """

    scratch: Path
    shared: Path
    cache: Path
