"""A short training that can run in another process."""

import atexit
import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from diswot.progress import silent
from diswot.tasks.images import ImageData, Split, load_data
from diswot.training import Recipe, Training, parse_objective, train

LOSS = "ce + 0.9*kd(T=4) + 0.1*fitnet"
RECIPE = Recipe(
    epochs=3,
    batch_size=12,
    optimizer="adamw",
    learning_rate=0.01,
    schedule="cosine",
    warmup_epochs=1,
    ema=0.9,
    label_smoothing=0.1,
    mixup=0.4,
    cutmix=1.0,
    augment="strong",
    max_grad_norm=1.0,
    gradient_accumulation=2,
)


class Small(nn.Module):
    """A network with a few hundred parameters that draws random numbers in training."""

    def __init__(self, width: int = 6, *, normalized: bool = True) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, width, 3, stride=2)
        self.norm: nn.Module = nn.BatchNorm2d(width) if normalized else nn.Identity()
        self.second = nn.Conv2d(width, width, 3, stride=2)
        self.dropout = nn.Dropout(0.1 if normalized else 0.0)
        self.classifier = nn.Linear(width, 10)

    def forward(self, images: Tensor) -> Tensor:
        maps = self.second(torch.relu(self.norm(self.first(images))))
        logits: Tensor = self.classifier(self.dropout(torch.relu(maps).mean(dim=(2, 3))))
        return logits


def small(seed: int, **settings: Any) -> Small:
    """Return the network of a seed."""
    torch.manual_seed(seed)
    return Small(**settings)


def few_digits(images: int = 288) -> ImageData:
    """Return the digits with fewer evaluation images."""
    digits = load_data("digits")
    few = {name: getattr(digits, name).take(torch.arange(60)) for name in ("val", "test")}
    return ImageData(
        digits.name,
        Split(digits.train.images[:images], digits.train.labels[:images]),
        few["val"],
        few["test"],
        digits.spec,
        flips=False,
    )


def run_training(folder: Path | None, recipe: Recipe = RECIPE, **options: Any) -> Training:
    """Train in `folder`, with a checkpoint at every log step."""
    settings: dict[str, Any] = {"student": small(0), "teacher": small(1, width=8)} | options
    return train(
        settings["student"],
        settings.get("data", few_digits()),
        objective=parse_objective(settings.get("loss", LOSS)),
        recipe=recipe,
        teachers={"teacher": settings["teacher"]},
        folder=folder,
        checkpoint_minutes=0,
        progress=settings.get("progress", silent),
    )


PLAIN = Recipe(epochs=2, batch_size=24, learning_rate=0.05, augment="none")
"""A recipe without random numbers."""


def run_plain_training(folder: Path | None) -> Training:
    """Train a network without batch normalization."""
    student = small(0, normalized=False)
    return run_training(folder, PLAIN, student=student, loss="ce + 0.9*kd + 0.1*fitnet")


def print_threads() -> None:
    """Print the remaining threads of Gloo, on systems that name threads."""
    names = [path.read_text().strip() for path in Path("/proc/self/task").glob("*/comm")]
    sys.stdout.write(f"threads left: {[name for name in names if 'gloo' in name]}\n")


if __name__ == "__main__":
    atexit.register(print_threads)  # before the training's own, so that it runs after it
    torch.set_num_threads(1)
    if "--plain" in sys.argv:
        run_plain_training(Path(sys.argv[1]))
    else:
        run_training(Path(sys.argv[1]))
