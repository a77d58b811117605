"""Networks with the parameter names of public repositories of CIFAR checkpoints.

Written from the names and shapes that those repositories document, independently of the built-in
networks: what a checkpoint computes there is what it must compute here.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def conv_bn(
    given: int, made: int, kernel: int, stride: int = 1, groups: int = 1
) -> list[nn.Module]:
    convolution = nn.Conv2d(given, made, kernel, stride, kernel // 2, groups=groups, bias=False)
    return [convolution, nn.BatchNorm2d(made)]


class ResidualBlock(nn.Module):
    """A basic block; `projects`: its shortcut at changes of shape is a convolution."""

    def __init__(
        self, given: int, made: int, stride: int, shortcut: str, *, projects: bool
    ) -> None:
        super().__init__()
        self.conv1, self.bn1 = conv_bn(given, made, 3, stride)
        self.conv2, self.bn2 = conv_bn(made, made, 3)
        self.added, self.stride, self.name = (made - given) // 2, stride, shortcut
        if projects and (stride > 1 or given != made):
            setattr(self, shortcut, nn.Sequential(*conv_bn(given, made, 1, stride)))

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if hasattr(self, self.name):
            return F.relu(y + getattr(self, self.name)(x))
        padded = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, *(self.added,) * 2))
        return F.relu(y + padded)


class ResNet(nn.Module):
    """`layer1.0.conv1`, as in chenyaofo, akamaster and kuangliu."""

    def __init__(
        self, depths: Sequence[int], widths: Sequence[int], head: str, shortcut: str, projects: bool
    ) -> None:
        super().__init__()
        self.conv1, self.bn1 = conv_bn(3, widths[0], 3)
        given = widths[0]
        for number, (depth, made) in enumerate(zip(depths, widths[1:], strict=True), start=1):
            blocks = []
            for block in range(depth):
                stride = 2 if number > 1 and block == 0 else 1
                blocks.append(ResidualBlock(given, made, stride, shortcut, projects=projects))
                given = made
            setattr(self, f"layer{number}", nn.Sequential(*blocks))
        self.stages, self.head = len(depths), head
        setattr(self, head, nn.Linear(given, 10))

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.bn1(self.conv1(x)))
        for number in range(1, self.stages + 1):
            x = getattr(self, f"layer{number}")(x)
        result: Tensor = getattr(self, self.head)(x.mean((2, 3)))
        return result


class FunctionBlock(nn.Module):
    """`residual_function.0` and `shortcut.0`, as in weiaicunzai."""

    def __init__(self, given: int, made: int, stride: int) -> None:
        super().__init__()
        first, second = conv_bn(given, made, 3, stride), conv_bn(made, made, 3)
        self.residual_function = nn.Sequential(*first, nn.ReLU(), *second)
        changes = stride > 1 or given != made
        self.shortcut = nn.Sequential(*(conv_bn(given, made, 1, stride) if changes else ()))

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.residual_function(x) + self.shortcut(x))


class FunctionResNet(nn.Module):
    """ResNet-18 with `conv2_x`, as in weiaicunzai."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Sequential(*conv_bn(3, 64, 3), nn.ReLU())
        given = 64
        for number, made in enumerate((64, 128, 256, 512), start=2):
            stride = 1 if number == 2 else 2
            blocks = FunctionBlock(given, made, stride), FunctionBlock(made, made, 1)
            setattr(self, f"conv{number}_x", nn.Sequential(*blocks))
            given = made
        self.fc = nn.Linear(512, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv1(x)
        for number in range(2, 6):
            x = getattr(self, f"conv{number}_x")(x)
        result: Tensor = self.fc(x.mean((2, 3)))
        return result


class VGG(nn.Module):
    """`features.0` and `classifier.0`, as in chenyaofo: VGG-11."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        given = 3
        for made in (64, 0, 128, 0, 256, 256, 0, 512, 512, 0, 512, 512, 0):
            if made:
                layers += [nn.Conv2d(given, made, 3, padding=1), nn.BatchNorm2d(made), nn.ReLU()]
                given = made
            else:
                layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        hidden = [nn.Linear(512, 512), nn.ReLU(), nn.Dropout()]
        again = [nn.Linear(512, 512), nn.ReLU(), nn.Dropout()]
        self.classifier = nn.Sequential(*hidden, *again, nn.Linear(512, 10))

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.classifier(self.features(x).flatten(1))
        return result


class MobileBlock(nn.Module):
    """`conv.0.0`, as in chenyaofo."""

    def __init__(self, given: int, made: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = given * expansion
        first = [nn.Sequential(*conv_bn(given, hidden, 1), nn.ReLU6())] if expansion > 1 else []
        depthwise = nn.Sequential(*conv_bn(hidden, hidden, 3, stride, hidden), nn.ReLU6())
        self.conv = nn.Sequential(*first, depthwise, *conv_bn(hidden, made, 1))
        self.adds = stride == 1 and given == made

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.conv(x)
        return x + y if self.adds else y


class MobileNetV2(nn.Module):
    """`features.1.conv.0.0`, as in chenyaofo: half the width."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Sequential(*conv_bn(3, 16, 3), nn.ReLU6())]
        given = 16
        stages = (1, 8, 1, 1), (6, 16, 2, 1), (6, 16, 3, 2), (6, 32, 4, 2), (6, 48, 3, 1)
        for expansion, made, blocks, stride in (*stages, (6, 80, 3, 2), (6, 160, 1, 1)):
            for block in range(blocks):
                layers.append(MobileBlock(given, made, stride if block == 0 else 1, expansion))
                given = made
        self.features = nn.Sequential(*layers, nn.Sequential(*conv_bn(160, 1280, 1), nn.ReLU6()))
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(1280, 10))

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.classifier(self.features(x).mean((2, 3)))
        return result


class ShuffleBlock(nn.Module):
    """`branch1.0` and `branch2.0`, as in chenyaofo."""

    def __init__(self, given: int, made: int, stride: int) -> None:
        super().__init__()
        half, entering = made // 2, given if stride > 1 else made // 2
        narrow = [*conv_bn(given, given, 3, 2, given), *conv_bn(given, half, 1), nn.ReLU()]
        self.branch1 = nn.Sequential(*(narrow if stride > 1 else ()))
        depthwise = conv_bn(half, half, 3, stride, half)
        self.branch2 = nn.Sequential(
            *conv_bn(entering, half, 1), nn.ReLU(), *depthwise, *conv_bn(half, half, 1), nn.ReLU()
        )
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        left, right = (x, x) if self.stride > 1 else x.chunk(2, dim=1)
        y = torch.cat([self.branch1(left), self.branch2(right)], dim=1)
        batch, channels, height, width = y.shape
        return y.view(batch, 2, channels // 2, height, width).transpose(1, 2).reshape(y.shape)


class ShuffleNetV2(nn.Module):
    """`stage2.0.branch1.0`, as in chenyaofo: half the width."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Sequential(*conv_bn(3, 24, 3), nn.ReLU())
        given = 24
        for number, (made, units) in enumerate(((48, 4), (96, 8), (192, 4)), start=2):
            first = ShuffleBlock(given, made, 2)
            rest = (ShuffleBlock(made, made, 1) for _ in range(units - 1))
            setattr(self, f"stage{number}", nn.Sequential(first, *rest))
            given = made
        self.conv5 = nn.Sequential(*conv_bn(192, 1024, 1), nn.ReLU())
        self.fc = nn.Linear(1024, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv1(x)
        for number in (2, 3, 4):
            x = getattr(self, f"stage{number}")(x)
        result: Tensor = self.fc(self.conv5(x).mean((2, 3)))
        return result


SMALL = (16, 16, 32, 64)
WIDE = (64, 64, 128, 256, 512)

PUBLIC = {
    "chenyaofo resnet20": ("resnet20", lambda: ResNet((3,) * 3, SMALL, "fc", "downsample", True)),
    "akamaster resnet20": ("resnet20", lambda: ResNet((3,) * 3, SMALL, "linear", "none", False)),
    "kuangliu resnet18": ("resnet18", lambda: ResNet((2,) * 4, WIDE, "linear", "shortcut", True)),
    "weiaicunzai resnet18": ("resnet18", FunctionResNet),
    "chenyaofo vgg11_bn": ("vgg11_bn", VGG),
    "chenyaofo mobilenetv2_x0_5": ("mobilenetv2_x0_5", MobileNetV2),
    "chenyaofo shufflenetv2_x0_5": ("shufflenetv2_x0_5", ShuffleNetV2),
}
"""Repository and network → name of the built-in network, and a function that makes the other."""


def trained(make: object) -> nn.Module:
    """Return a network in evaluation mode, with statistics as after a training."""
    torch.manual_seed(0)
    network: nn.Module = make()  # type: ignore[operator]
    for name, tensor in network.state_dict().items():
        if name.endswith("running_mean"):
            tensor.normal_(0, 0.1)
        elif name.endswith("running_var") or (tensor.ndim == 1 and name.endswith("weight")):
            tensor.uniform_(0.5, 1.5)
    return network.eval()
