"""What can be chosen of a distillation."""

from pathlib import Path
from typing import TypedDict

from diswot.teachers import TeacherClasses


class RecipeOptions(TypedDict, total=False):
    """What of a [`Recipe`][diswot.distillation.Recipe] can be chosen; `None` is its default.

    Attributes:
        epochs: by default 10, and 20 for fewer than 5,000 training images.
        train_batch_size: images of a step; by default 64, less for few images.
        optimiser: `sgd`, the default, or `adamw`.
        learning_rate: by default 0.05 of SGD, 0.001 of AdamW.
        weight_decay: by default 0.0005 of SGD, 0.05 of AdamW.
        schedule: `step`, the default, or `cosine`.
        warmup_epochs: in which the learning rate grows from 0; 0.
        ema: decay of a moving average of the weights, to be judged and kept in their place.
        label_smoothing: share of a label that is spread over all classes; 0.
        mixup: parameter of mixup's Beta distribution; 0, no mixup.
        cutmix: the same of cutmix.
        augment: `none`, `standard` (crops and flips), the default, or `strong`.
        clip: norm that gradients are cut to.
        accumulate: parts that a batch is put through one after the other; 1.
        precision: `single`, the default, `bf16` or `fp16`.
        seed: the same seed gives the same result; 0.
    """

    epochs: int | None
    train_batch_size: int | None
    optimiser: str | None
    learning_rate: float | None
    weight_decay: float | None
    schedule: str | None
    warmup_epochs: float | None
    ema: float | None
    label_smoothing: float | None
    mixup: float | None
    cutmix: float | None
    augment: str | None
    clip: float | None
    accumulate: int | None
    precision: str | None
    seed: int


class DistillationOptions(RecipeOptions, total=False):
    """Options of `distill` and `run` alike, besides those of the recipe.

    Attributes:
        data_root: where built-in datasets lie, and trained teachers are kept.
        teacher_weights: a checkpoint to load into the teacher.
        teacher_classes: the order of the teacher's outputs, where its own names do not tell:
            `data`, `text` or `natural` (the data's classes as they are, sorted as text, or
            by their numbers), a file with a name on each line, or the names.
        teacher_epochs: for a built-in teacher without a checkpoint, which is trained on
            the data once and kept; by default three times the student's.
        force: whether to learn from a teacher that knows little more than chance.
        tensorboard: whether to write TensorBoard events beside `metrics.csv`.
        device: where to compute; by default a GPU where there is one.
    """

    data_root: str | Path | None
    teacher_weights: str | Path | None
    teacher_classes: TeacherClasses | None
    teacher_epochs: int | None
    force: bool
    tensorboard: bool
    device: str | None
