"""Training settings: schedules, defaults, and values out of range."""

from typing import Any

import pytest

from diswot.errors import DiswotError, OptionError
from diswot.tasks.images import load_data
from diswot.tasks.landmarks import load_landmarks
from diswot.training import Recipe, default_recipe


def test_the_learning_rate_warms_up_and_follows_a_cosine() -> None:
    recipe = Recipe(epochs=10, learning_rate=1.0, schedule="cosine", warmup_epochs=2)
    assert [recipe.rate(at) for at in (0, 1, 2, 6, 10)] == pytest.approx([0, 0.5, 1, 0.5, 0])
    steps = Recipe(epochs=10, learning_rate=1.0, warmup_epochs=2)
    assert [steps.rate(at) for at in (1, 2, 6.2, 6.3, 9)] == pytest.approx([0.5, 1, 1, 0.1, 1e-3])


def test_every_optimizer_has_its_defaults() -> None:
    data = load_data("digits")
    sgd, adamw = default_recipe(data), default_recipe(data, optimizer="adamw")
    assert (sgd.epochs, sgd.batch_size, sgd.learning_rate) == (20, 16, 0.05)
    assert (adamw.learning_rate, adamw.weight_decay) == (1e-3, 0.05)
    assert default_recipe(data, optimizer="adamw", learning_rate=0.5).learning_rate == 0.5
    assert default_recipe(data, ema=None, schedule=None) == sgd


def test_a_task_has_its_own_defaults() -> None:
    data = load_landmarks("digit-outlines")
    found = default_recipe(data)
    assert (found.optimizer, found.learning_rate, found.augment) == ("adamw", 0.01, "none")
    assert default_recipe(data, epochs=1).warmup_epochs == 0.5
    assert default_recipe(data, learning_rate=0.5, augment="strong").augment == "strong"
    sgd = default_recipe(data, optimizer="sgd")
    assert (sgd.optimizer, sgd.learning_rate, sgd.weight_decay) == ("sgd", 0.05, 5e-4)
    assert default_recipe(data, optimizer="adamw") == found
    with pytest.raises(OptionError, match=r"landmarks have no classes for mixup 0\.2"):
        default_recipe(data, mixup=0.2)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"optimizer": "adam"}, "optimizer 'adam': did you mean 'adamw'"),
        ({"schedule": "linear"}, "unknown schedule 'linear'"),
        ({"learning_rate": float("nan")}, "learning rate to be a number above 0"),
        ({"label_smoothing": 1.0}, "label smoothing"),
        ({"ema": 1.0}, "ema to be a number above 0 and below 1"),
        ({"batch_size": 0}, "batch size to be a whole number from 1"),
        ({"warmup_epochs": 5}, "less than 5 epochs, but got 5"),
        ({"gradient_accumulation": 3}, "divided by gradient accumulation 3, but got 64"),
    ],
)
def test_values_out_of_range_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(DiswotError, match=words):
        Recipe(epochs=5, **settings)


def test_settings_that_are_off_do_not_rename_cached_networks() -> None:
    text = (
        "Recipe(epochs=3, batch_size=64, optimizer='sgd', learning_rate=0.05, momentum=0.9, "
        "weight_decay=0.0005, schedule='step', milestones=(0.625, 0.75, 0.875), decay=0.1, "
        "warmup_epochs=0.0, ema=None, label_smoothing=0.0, mixup=0.0, cutmix=0.0, "
        "augment='standard', max_grad_norm=None, gradient_accumulation=1, precision='single', "
        "seed=0)"
    )
    assert repr(Recipe(3)) == text  # the key of teachers that version 0.1.0 cached
    assert repr(Recipe(3, compile=True)) != text
