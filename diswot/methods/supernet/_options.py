"""Options of the method `supernet`."""

from typing import Annotated, TypedDict

from diswot.methods.supernet._objective import OBJECTIVES
from diswot.options import Option


class SupernetOptions(TypedDict, total=False):
    """Options of the method `supernet`."""

    supernets: Annotated[
        int | None,
        Option(
            "Supernets, each of one part of the space; by default one for each sub-space of a "
            "space that has such, else 3 parts of equal count by size.",
            least=1,
            most=64,
            group="Training",
            essential=True,
        ),
    ]
    supernet_epochs: Annotated[
        int,
        Option(
            "Epochs of each supernet, without labels.",
            default=5,
            least=1,
            most=100_000,
            group="Training",
            essential=True,
        ),
    ]
    supernet_rate: Annotated[
        float, Option("Its learning rate (AdamW).", default=1e-3, above=0, group="Training")
    ]
    supernet_loss: Annotated[
        str,
        Option(
            "Relations after the softmax (relations, AutoDistil's paper) or before it "
            "(relations-raw, its code).",
            default=OBJECTIVES[0],
            choices=OBJECTIVES,
            group="Training",
        ),
    ]
    random_students: Annotated[
        int,
        Option(
            "Students of a step drawn at random, in addition to the largest and the smallest.",
            default=2,
            least=0,
            most=1_000,
            group="Training",
        ),
    ]
