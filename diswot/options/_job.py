"""What can be chosen of the main job."""

from typing import Annotated, TypedDict

from diswot.options._option import Option
from diswot.options._search import MOST_CANDIDATES, SearchOptions
from diswot.options._training import DistillationOptions


class JobOptions(TypedDict, total=False):
    """Options of `run` alone."""

    compare: Annotated[
        bool, Option("Distill the largest, the smallest and a random student too.", default=True)
    ]
    shortlist: Annotated[
        int,
        Option(
            "Distill so many of the top-scoring students briefly, by successive halving, to choose "
            "the winner.",
            default=1,
            least=1,
            most=MOST_CANDIDATES,
        ),
    ]
    onnx: Annotated[bool | None, Option("Export ONNX; by default if it is installed.")]


class RunOptions(SearchOptions, DistillationOptions, JobOptions, total=False):
    """Options of `run`: those of `search`, of `distill`, and its own."""
