"""Options of landmark data."""

from typing import Annotated, TypedDict

from diswot.options import Option
from diswot.tasks.landmarks._error import NORMALIZERS


class LandmarkOptions(TypedDict, total=False):
    """Options of the data of the task `landmarks`."""

    image_size: Annotated[
        int | None,
        Option(
            "Image size of files: height and width in pixels; by default their own, or 96.",
            least=8,
            most=4096,
        ),
    ]
    crop: Annotated[
        float | None,
        Option(
            "Crop images to the square around their points, plus this share of its side, e.g. "
            "0.25.",
            least=0,
            most=10,
        ),
    ]
    normalizer: Annotated[
        str | None,
        Option("Normalizer of the error; by default the dataset's.", choices=tuple(NORMALIZERS)),
    ]
