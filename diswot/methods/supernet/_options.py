"""Options of the method `supernet`."""

from pathlib import Path
from typing import Annotated, TypedDict

from diswot.methods.supernet._objective import OBJECTIVES
from diswot.options import Option


class SupernetOptions(TypedDict, total=False):
    """Options of the method `supernet`."""

    supernets: Annotated[
        int | None,
        Option(
            "Number of supernets, one for each part of the space. By default one for each "
            "sub-space if the space has sub-spaces, otherwise 3 parts by size, with the same "
            "number of architectures each.",
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
        float,
        Option("Learning rate of supernets (AdamW).", default=1e-3, above=0, group="Training"),
    ]
    supernet_loss: Annotated[
        str,
        Option(
            "Compare relations after the softmax (relations, as in AutoDistil's paper) or before "
            "it (relations-raw, as in its code); or predict hidden tokens, without the teacher "
            "(masked-lm).",
            default=OBJECTIVES[0],
            choices=OBJECTIVES,
            group="Training",
        ),
    ]
    supernet_texts: Annotated[
        str | Path | None,
        Option(
            "Plain text that supernets are trained on, a .txt file or a folder of them; by default "
            "the training texts.",
            group="Training",
        ),
    ]
    random_students: Annotated[
        int,
        Option(
            "Random students per step, in addition to the largest and the smallest.",
            default=2,
            least=0,
            most=1_000,
            group="Training",
        ),
    ]
