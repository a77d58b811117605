"""Options of trainings."""

from diswot.cli import _options as shared
from diswot.cli._declared import option
from diswot.options import DistillationOptions, RecipeOptions, declared

recipe_options = shared.options(
    *(option(RecipeOptions, name) for name in declared(RecipeOptions) if name != "seed"),
    option(DistillationOptions, "flips"),
    option(DistillationOptions, "tensorboard"),
)

training_options = shared.options(
    recipe_options,
    option(DistillationOptions, "teacher_view"),
    option(DistillationOptions, "teacher_epochs"),
    shared.FORCE,
)
