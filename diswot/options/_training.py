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


BALANCED = ("balanced",)
"""Values of `class_weights` and `sampling`."""


class RecipeOptions(TypedDict, total=False):
    """Options of a [`Recipe`][diswot.training.Recipe]; `None` is the default of each."""

    epochs: Annotated[
        int | None,
        Option(
            "Epochs of each training; by default 10, or 20 for fewer than 5,000 images.",
            least=1,
            most=MOST_EPOCHS,
            group="Training",
            essential=True,
        ),
    ]
    train_batch_size: Annotated[
        int | None,
        Option(
            "Training batch size; by default 64, or less so that an epoch has at least 16 steps.",
            least=1,
            most=MOST_IMAGES,
            group="Training",
            essential=True,
        ),
    ]
    optimizer: Annotated[
        str | None,
        Option(
            "Optimizer; by default sgd.",
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
            "Decay of an exponential moving average (EMA) of the weights, e.g. 0.999.",
            above=0,
            below=1,
            group="Training",
        ),
    ]
    label_smoothing: Annotated[
        float | None,
        Option("Label smoothing, e.g. 0.1.", least=0, below=1, group="Training"),
    ]
    mixup: Annotated[float | None, Option("Alpha of mixup, e.g. 0.2.", least=0, group="Training")]
    cutmix: Annotated[
        float | None,
        Option("Alpha of CutMix, e.g. 1.", least=0, group="Training"),
    ]
    augment: Annotated[
        str | None,
        Option(
            "Data augmentation; by default standard: random crops, and flips where a mirrored "
            "image keeps its class.",
            choices=AUGMENTATIONS,
            group="Training",
            essential=True,
        ),
    ]
    class_weights: Annotated[
        str | None,
        Option(
            "Class weights of the cross-entropy: balanced, the inverse of a class's frequency; by "
            "default all are equal.",
            choices=BALANCED,
            group="Training",
        ),
    ]
    sampling: Annotated[
        str | None,
        Option(
            "Sampling of training examples: balanced, every class equally often; by default "
            "every example once per epoch.",
            choices=BALANCED,
            group="Training",
        ),
    ]
    max_grad_norm: Annotated[
        float | None, Option("Gradient clipping: maximum norm.", above=0, group="Training")
    ]
    gradient_accumulation: Annotated[
        int | None,
        Option(
            "Gradient accumulation: parts that a batch is computed in; saves memory.",
            least=1,
            most=MOST_IMAGES,
            group="Training",
        ),
    ]
    precision: Annotated[
        str | None,
        Option(
            "Precision of forward and backward passes; by default single (fp32); fp16 needs a GPU.",
            choices=PRECISIONS,
            group="Training",
        ),
    ]
    channels_last: Annotated[
        bool,
        Option(
            "Channels-last memory format; faster on GPUs, mostly with bf16 or fp16.",
            default=False,
            group="Training",
        ),
    ]
    tf32: Annotated[
        bool,
        Option(
            "TF32 in convolutions and matrix products of fp32; NVIDIA GPUs alone.",
            default=False,
            group="Training",
        ),
    ]
    compile: Annotated[
        bool,
        Option(
            "Compile student and teachers with torch.compile; for long trainings.",
            default=False,
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
            "Epochs of a teacher without weights, such as a built-in one without a checkpoint, "
            "which is trained once; by default three times --epochs.",
            least=1,
            most=MOST_EPOCHS,
            group="Task",
        ),
    ]
    flips: Annotated[
        bool | None,
        Option(
            "Random horizontal flips of training images; by default as the dataset specifies.",
            group="Task",
        ),
    ]
    teacher_view: Annotated[
        str,
        Option(
            "Images for a teacher that was trained on larger ones: own (the original photos at "
            "its size, cropped like the student's), student (the student's images, enlarged), or "
            "auto (own if the photos are files). Of "
            "images with texts, own (the default) are the images without augmentation.",
            default="auto",
            choices=TEACHER_VIEWS,
            group="Task",
        ),
    ]
    loader_workers: Annotated[
        int | None,
        Option(
            f"Processes that load streamed training images; the result does not depend on it. By "
            f"default one less than the number of cores, at most {MOST_LOADER_WORKERS}.",
            least=0,
            most=256,
            group="Training",
        ),
    ]
    force: Annotated[
        bool,
        Option("Distill even if the teacher is near chance.", default=False, group="Task"),
    ]
    device: Device
