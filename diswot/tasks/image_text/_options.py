"""Options of image-text data."""

from typing import Annotated, TypedDict

from diswot.options import Option

EMBEDDING = 64
"""Default length of embeddings, the one of the built-in teachers."""

LANGUAGES = "en,zh"


class ImageTextOptions(TypedDict, total=False):
    """Options of the data of the task `image-text`."""

    languages: Annotated[
        str | None,
        Option(
            "Languages of the class names, separated by commas, the one of training first; by "
            f"default {LANGUAGES}."
        ),
    ]
    embedding: Annotated[
        int,
        Option(
            "Length of the embeddings of students, which must be the teacher's.",
            default=EMBEDDING,
            least=2,
            most=16_384,
        ),
    ]
