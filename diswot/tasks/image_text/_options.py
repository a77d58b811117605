"""Options of image-text data."""

from typing import Annotated, TypedDict

from diswot.options import Option

EMBEDDING = 64
"""Default length of embeddings, the one of the built-in teachers."""

LANGUAGES = "en,zh"
"""Default languages of the built-in data."""

IMAGE_SIZE = 64
"""Default height and width of images from files."""


class ImageTextOptions(TypedDict, total=False):
    """Options of the data of the task `image-text`."""

    languages: Annotated[
        str | None,
        Option(
            "Languages of names or captions, separated by commas, the one of training first; by "
            f"default {LANGUAGES} for emoji, and all languages of files."
        ),
    ]
    template: Annotated[
        str | None,
        Option(
            "Sentence around class names in the first language, with {} for the name; by default "
            "'a drawing of {}' for emoji, and 'a photo of {}' for folders of classes."
        ),
    ]
    descriptions: Annotated[
        bool | None,
        Option(
            "Append the descriptions of classes to prompts: those of classes.csv, or of emoji "
            "their names in Unicode."
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
    image_size: Annotated[
        int | None,
        Option(
            f"Height and width in pixels of images from files; by default {IMAGE_SIZE}.",
            least=8,
            most=4096,
        ),
    ]
