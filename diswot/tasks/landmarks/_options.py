"""What can be chosen of landmarks."""

from typing import Annotated, TypedDict

from diswot.options import Option
from diswot.tasks.landmarks._error import NORMALIZERS


class LandmarkOptions(TypedDict, total=False):
    """Options of the data of the task `landmarks`."""

    image_size: Annotated[
        int | None,
        Option(
            "Height and width that image files are brought to; by default their own, or 96.",
            least=8,
            most=4096,
        ),
    ]
    crop: Annotated[
        float | None,
        Option(
            "Cut images to their points and this share of the side beyond them, e.g. 0.25.",
            least=0,
            most=10,
        ),
    ]
    normalizer: Annotated[
        str | None,
        Option("What errors are divided by; by default the dataset's.", choices=tuple(NORMALIZERS)),
    ]
