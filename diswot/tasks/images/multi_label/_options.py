"""Options of multi-label images."""

from typing import Annotated, TypedDict

from diswot.options import Option


class MultiLabelOptions(TypedDict, total=False):
    """Options of the data of the task `multi-label`."""

    image_size: Annotated[
        int | None,
        Option(
            "Image size of files: height and width in pixels; by default inferred.",
            least=1,
            most=4096,
        ),
    ]
