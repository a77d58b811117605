"""Colored squares with their names in two languages, and a small space of image towers."""

import torch
from torch import nn

from diswot.tasks._tokenizer import trained_tokenizer
from diswot.tasks.image_text import ClassNames, ImageTextData, LabeledImages, Pairs
from search_spaces import Architecture, Choice, ChoiceSpace

ENGLISH = ("red", "green", "blue", "yellow", "magenta", "cyan", "white", "black")
CHINESE = ("红", "绿", "蓝", "黄", "品红", "青", "白", "黑")
COLORS = torch.tensor(
    [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [1, 0, 1], [0, 1, 1], [1, 1, 1], [0, 0, 0]]
)
SEEN, ALL = 4, 8


class Small(ChoiceSpace):
    """A convolution and a linear layer."""

    width = Choice(4, 6, 8)

    def build(self, arch: Architecture, num_classes: int) -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(3, arch.width, 3, padding=1),
            nn.BatchNorm2d(arch.width),
            nn.ReLU(),
            nn.AvgPool2d(4),
            nn.Flatten(),
            nn.Linear(4 * arch.width, num_classes),
        )


def squares() -> ImageTextData:
    """Return 4 seen and 4 unseen colors in images of 8×8 pixels."""
    names = ClassNames({"en": ENGLISH, "zh": CHINESE})
    tokenizer = trained_tokenizer([*names.prompts("en"), *names.prompts("zh")], vocabulary=300)
    generator = torch.Generator().manual_seed(0)

    def images(first: int, last: int, count: int) -> LabeledImages:
        labels = torch.arange(last - first).repeat_interleave(count)
        noise = torch.randint(60, (len(labels), 3, 8, 8), generator=generator)
        colors = 195 * COLORS[first + labels][:, :, None, None]
        return LabeledImages((colors + noise).to(torch.uint8), labels)

    return ImageTextData(
        "squares",
        images(0, SEEN, 16),
        images(0, SEEN, 4),
        images(SEEN, ALL, 8),
        names.taken(range(SEEN)),
        names.taken(range(SEEN, ALL)),
        Pairs(images(0, ALL, 16), images(0, ALL, 4), images(0, ALL, 4)),
        tokenizer,
        length=16,
        embedding=8,
    )
