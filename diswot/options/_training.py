"""Options of trainings."""

from typing import Annotated, TypedDict

from diswot.options._option import Option
from diswot.options._shared import (
    MOST_EPOCHS,
    MOST_IMAGES,
    DataRoot,
    Device,
    Seed,
    TaskName,
    TeacherClasses,
    TeacherWeights,
)

OPTIMIZERS = {"sgd": (0.05, 5e-4), "adamw": (1e-3, 0.05)}
"""Optimizers with their default learning rates and weight decays."""

SCHEDULES = ("step", "cosine")
"""Learning rate schedules."""

AUGMENTATIONS = ("none", "standard", "strong")
"""Levels of image augmentation."""

PRECISIONS = ("single", "bf16", "fp16")
"""Precisions of forward and backward passes; `single` is fp32."""

TEACHER_VIEWS = ("auto", "own", "student")
"""Which images a teacher of larger images gets: its own view, or the student's."""


MOST_LOADER_WORKERS = 8
"""Default upper limit of the number of processes that read streamed examples."""


class RecipeOptions(TypedDict, total=False):
    """Options of a [`Recipe`][diswot.training.Recipe]; `None` is the default of each."""

    epochs: Annotated[
        int | None,
        Option(
            "Epochs of each training; 10, and 20 for fewer than 5,000 images.",
            least=1,
            most=MOST_EPOCHS,
            group="Training",
            essential=True,
        ),
    ]
    train_batch_size: Annotated[
        int | None,
        Option(
            "Images of a training step; 64, or less so that an epoch has 16 steps.",
            least=1,
            most=MOST_IMAGES,
            group="Training",
            essential=True,
        ),
    ]
    optimizer: Annotated[
        str | None,
        Option(
            "How weights are updated; by default sgd.",
            choices=tuple(OPTIMIZERS),
            group="Training",
            essential=True,
        ),
    ]
    learning_rate: Annotated[
        float | None,
        Option(
            "Learning rate; by default 0.05 with sgd, 0.001 with adamw.",
            above=0,
            group="Training",
            essential=True,
        ),
    ]
    weight_decay: Annotated[
        float | None,
        Option(
            "Weight decay; by default 0.0005 with sgd, 0.05 with adamw.", least=0, group="Training"
        ),
    ]
    schedule: Annotated[
        str | None,
        Option(
            "Learning rate schedule; by default step: times 0.1 after 62.5, 75 and 87.5 % of the "
            "epochs.",
            choices=SCHEDULES,
            group="Training",
        ),
    ]
    warmup_epochs: Annotated[
        float | None,
        Option("Epochs of linear warm-up of the learning rate.", least=0, group="Training"),
    ]
    ema: Annotated[
        float | None,
        Option(
            "Keep a moving average of the weights, e.g. 0.999.", above=0, below=1, group="Training"
        ),
    ]
    label_smoothing: Annotated[
        float | None,
        Option(
            "Share of a label that all classes get, e.g. 0.1.", least=0, below=1, group="Training"
        ),
    ]
    mixup: Annotated[
        float | None, Option("Mix images in pairs: alpha, e.g. 0.2.", least=0, group="Training")
    ]
    cutmix: Annotated[
        float | None,
        Option("Paste boxes of other images: alpha, e.g. 1.", least=0, group="Training"),
    ]
    augment: Annotated[
        str | None,
        Option(
            "How training images are varied; by default standard: crops, and flips where they "
            "keep the class.",
            choices=AUGMENTATIONS,
            group="Training",
            essential=True,
        ),
    ]
    max_grad_norm: Annotated[
        float | None, Option("Gradient clipping: maximum norm.", above=0, group="Training")
    ]
    gradient_accumulation: Annotated[
        int | None,
        Option(
            "Parts of a batch that are computed one after the other; saves memory.",
            least=1,
            most=MOST_IMAGES,
            group="Training",
        ),
    ]
    precision: Annotated[
        str | None,
        Option(
            "Of forward and backward passes; by default single; fp16 needs a GPU.",
            choices=PRECISIONS,
            group="Training",
        ),
    ]
    seed: Seed


class DistillationOptions(RecipeOptions, total=False):
    """Options of `distill`, `train_teacher` and `run`, including those of the recipe."""

    task: TaskName
    data_root: DataRoot
    teacher_weights: TeacherWeights
    teacher_classes: TeacherClasses
    teacher_epochs: Annotated[
        int | None,
        Option(
            "Epochs of a built-in teacher without checkpoint, trained once; three times --epochs.",
            least=1,
            most=MOST_EPOCHS,
            group="Task",
        ),
    ]
    flips: Annotated[
        bool | None,
        Option("Mirror training images at random; by default as the dataset says.", group="Task"),
    ]
    teacher_view: Annotated[
        str,
        Option(
            "What a teacher of larger images is given: own (the original photos at its size, cut "
            "like the student's), student (the student's images, enlarged), or auto (own where "
            "the photos are files).",
            default="auto",
            choices=TEACHER_VIEWS,
            group="Task",
        ),
    ]
    loader_workers: Annotated[
        int | None,
        Option(
            "Processes that read training images which are streamed; the result is the same. By "
            f"default one less than there are cores, at most {MOST_LOADER_WORKERS}.",
            least=0,
            most=256,
            group="Training",
        ),
    ]
    force: Annotated[
        bool,
        Option("Distill from a teacher that is near chance too.", default=False, group="Task"),
    ]
    device: Device
