"""Options of the method `web-images`."""

from pathlib import Path
from typing import Annotated, TypedDict

from diswot.options import Option

SELECTIONS = ("dynamic", "teacher", "student", "threshold", "all")
"""How the images of an epoch are selected from the pool."""


class WebImagesOptions(TypedDict, total=False):
    """Options of the method `web-images`."""

    pool: Annotated[
        str | Path | None,
        Option(
            "Unlabeled images that students are trained on: a folder with images at any depth, or "
            "the name of a dataset, of which the training images are used. By default "
            "mixed-digits for the dataset digits; other data need one.",
            group="Training",
            essential=True,
        ),
    ]
    pool_selection: Annotated[
        str,
        Option(
            "Images of the pool that an epoch uses: dynamic (by the confidence of teacher and "
            "student, with a threshold per class), teacher or student (by the confidence of one "
            "of them), threshold (by the teacher's, with one threshold), or all.",
            default=SELECTIONS[0],
            choices=SELECTIONS,
            group="Training",
            essential=True,
        ),
    ]
    selection_threshold: Annotated[
        float,
        Option(
            "Confidence above which images of the most frequent class are selected.",
            default=0.95,
            above=0,
            below=1,
            group="Training",
        ),
    ]
    share_classifier: Annotated[
        bool,
        Option(
            "Give students the teacher's classifier behind a projector of their last feature map; "
            "otherwise they learn the teacher's class probabilities with their own classifiers.",
            default=True,
            group="Training",
        ),
    ]
    contrast_weight: Annotated[
        float,
        Option(
            "Weight of the contrast between images and the same images with the colors and "
            "contrast of others (MixDistribution); 0 to leave it out.",
            default=1e-3,
            least=0,
            group="Training",
        ),
    ]
    images_per_epoch: Annotated[
        int | None,
        Option(
            "Images per epoch, drawn from the selected ones in turn; by default as many as the "
            "pool has.",
            least=1,
            most=1_000_000_000,
            group="Training",
        ),
    ]
