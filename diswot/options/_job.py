"""Options of `run`."""

from typing import Annotated, TypedDict

from diswot.options._option import Option
from diswot.options._search import MOST_CANDIDATES, SearchOptions
from diswot.options._shared import DEFAULT_METHOD
from diswot.options._training import DistillationOptions


class JobOptions(TypedDict, total=False):
    """Options that only `run` has."""

    method: Annotated[
        str,
        Option(
            "How students are built and trained: a name of `diswot list methods`.",
            default=DEFAULT_METHOD,
            group="Training",
            essential=True,
        ),
    ]
    compare: Annotated[
        bool,
        Option(
            "Also distill the baselines: the largest, the smallest and a random student.",
            default=True,
            group="Training",
            essential=True,
        ),
    ]
    shortlist: Annotated[
        int,
        Option(
            "Top-scoring students to distill briefly; successive halving selects the winner.",
            default=1,
            least=1,
            most=MOST_CANDIDATES,
            group="Training",
            essential=True,
        ),
    ]
    onnx: Annotated[
        bool | None, Option("Export ONNX; by default if onnx is installed.", group="Export")
    ]


class RunOptions(SearchOptions, DistillationOptions, JobOptions, total=False):
    """Options of `run`: those of `search`, of `distill`, and its own."""
