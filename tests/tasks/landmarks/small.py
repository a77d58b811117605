"""A search space of three small networks for landmarks."""

from torch import nn

from search_spaces import Architecture, Choice, ChoiceSpace


class Small(ChoiceSpace):
    """A convolution and a linear layer."""

    width = Choice(4, 6, 8)

    def build(self, arch: Architecture, num_classes: int) -> nn.Module:
        head = nn.Linear(16 * arch.width, num_classes)
        return nn.Sequential(
            nn.Conv2d(1, arch.width, 3, padding=1),
            nn.BatchNorm2d(arch.width),
            nn.ReLU(),
            nn.AvgPool2d(4),
            nn.Flatten(),
            head,
        )
