"""Options of the method `data-free`."""

from typing import Annotated, TypedDict

from diswot.options import Option

SAMPLES = ("dafl", "zskt", "noise", "distorted")
"""Sources of pseudo-samples; `distorted` reads the training split, without its labels."""


class DataFreeOptions(TypedDict, total=False):
    """Options of the method `data-free`."""

    samples: Annotated[
        str,
        Option(
            "Pseudo-samples that students are trained on: those of a generator that is trained "
            "with the student (dafl, zskt), noise with the statistics of the teacher's first "
            "normalization layer (noise), or training examples with added noise, which needs "
            "unlabeled examples (distorted).",
            default=SAMPLES[0],
            choices=SAMPLES,
            group="Training",
            essential=True,
        ),
    ]
    samples_per_epoch: Annotated[
        int,
        Option(
            "Pseudo-samples per epoch; distorted examples are used once each.",
            default=6_400,
            least=1,
            most=100_000_000,
            group="Training",
            essential=True,
        ),
    ]
    generator_rate: Annotated[
        float,
        Option("Learning rate of the generator (AdamW).", default=1e-3, above=0, group="Training"),
    ]
    latent_size: Annotated[
        int,
        Option(
            "Size of the random vectors from which the generator makes samples.",
            default=100,
            least=1,
            most=10_000,
            group="Training",
        ),
    ]
    distortion: Annotated[
        float,
        Option(
            "Standard deviation of the noise that is added to normalized images, or to the "
            "embeddings of tokens relative to theirs (distorted).",
            default=0.5,
            above=0,
            group="Training",
        ),
    ]
