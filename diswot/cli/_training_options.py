"""Options of trainings."""

import click

from diswot.cli import _options as shared
from diswot.cli._numbers import BETWEEN, NOT_NEGATIVE, POSITIVE, SHARE
from diswot.options import AUGMENTATIONS, OPTIMIZERS, PRECISIONS, SCHEDULES

recipe_options = shared.options(
    click.option(
        "--epochs",
        type=click.IntRange(min=1),
        help="Epochs of each training; 10, and 20 for fewer than 5,000 images.",
    ),
    click.option(
        "--train-batch-size",
        type=click.IntRange(min=1),
        help="Images of a training step; 64, or less so that an epoch has 16 steps.",
    ),
    click.option("--optimiser", type=click.Choice(list(OPTIMIZERS)), help="By default sgd."),
    click.option("--learning-rate", type=POSITIVE, help="By default 0.05 of sgd, 0.001 of adamw."),
    click.option(
        "--weight-decay", type=NOT_NEGATIVE, help="By default 0.0005 of sgd, 0.05 of adamw."
    ),
    click.option(
        "--schedule",
        type=click.Choice(SCHEDULES),
        help="Of the learning rate: by default step, tenths after 62.5, 75 and 87.5 % of epochs.",
    ),
    click.option(
        "--warmup-epochs", type=NOT_NEGATIVE, help="In which the learning rate grows from 0."
    ),
    click.option("--ema", type=BETWEEN, help="Keep a moving average of the weights, e.g. 0.999."),
    click.option(
        "--label-smoothing", type=SHARE, help="Share of a label that all classes get, e.g. 0.1."
    ),
    click.option("--mixup", type=NOT_NEGATIVE, help="Mix images in pairs: alpha, e.g. 0.2."),
    click.option("--cutmix", type=NOT_NEGATIVE, help="Put boxes of others in: alpha, e.g. 1."),
    click.option(
        "--augment",
        type=click.Choice(AUGMENTATIONS),
        help="By default standard: crops, and flips where they keep the class.",
    ),
    click.option("--clip", type=POSITIVE, help="Norm that gradients are cut to."),
    click.option(
        "--accumulate",
        type=click.IntRange(min=1),
        help="Parts of a batch, one after the other; saves memory.",
    ),
    click.option(
        "--precision", type=click.Choice(PRECISIONS), help="By default single; fp16 needs a GPU."
    ),
    click.option("--tensorboard", is_flag=True, help="Write TensorBoard events too."),
)

training_options = shared.options(
    recipe_options,
    click.option(
        "--teacher-epochs",
        type=click.IntRange(min=1),
        help="Epochs of a built-in teacher without checkpoint, trained once; three times --epochs.",
    ),
    shared.FORCE,
)
