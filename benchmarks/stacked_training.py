"""Networks of one architecture that are trained at once, each as if it were alone.

The convolutions of R networks are one convolution of R times the groups, their normalizations
one of R times the channels. Networks of a few thousand parameters spend most of their time
between operations, so that six of them take about as long as two.
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from diswot.losses import kd_loss
from diswot.tasks.images import ImageData
from diswot.training import Recipe

SOFT, HARD, TEMPERATURE = 0.9, 0.1, 4.0
"""The loss `diswot`: 0.1 * ce + 0.9 * kd(T=4)."""


@dataclass(frozen=True, eq=False)
class Examples:
    """What a training sees in each of its steps: images, labels and the teacher's logits."""

    images: Tensor
    labels: Tensor
    logits: Tensor


@dataclass(frozen=True)
class Found:
    """Accuracies in % of one training.

    Attributes:
        curve: after each epoch, on the validation split.
        test: on the test split, with the weights of the best epoch.
    """

    curve: tuple[float, ...]
    test: float


class Stack(nn.Module):
    """R networks of one architecture as one, with copies of their weights.

    Args:
        networks: made of convolutions, normalizations over a batch, linear layers, and modules
            without weights that treat each channel alone.

    Raises:
        TypeError: a module with weights is of another kind.
    """

    def __init__(self, networks: Sequence[nn.Module]) -> None:
        super().__init__()
        self.count = len(networks)
        joined = _joined(list(networks))
        self._joined = joined.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, images: Tensor) -> Tensor:
        """Map images (R, B, C, H, W) to logits (R, B, N)."""
        channels = images.transpose(0, 1).flatten(1, 2)
        result: Tensor = self._joined(channels.contiguous(memory_format=torch.channels_last))
        return result

    @torch.no_grad()
    def accuracies(self, images: Tensor, labels: Tensor) -> Tensor:
        """Return the accuracy (R,) of each network on images (B, C, H, W)."""
        self.eval()
        result: Tensor = self(images.expand(self.count, *images.shape)).argmax(-1) == labels
        self.train()
        return result.float().mean(1)

    def selected(self, chosen: Tensor, ours: Tensor, other: Tensor) -> Tensor:
        """Return an entry of the state of those chosen (R,), and the other's of the rest."""
        if ours.ndim == 0:
            return ours
        parts = ours.reshape(self.count, -1), other.reshape(self.count, -1)
        return torch.where(chosen[:, None], *parts).reshape(ours.shape)


class _Heads(nn.Module):
    """Linear layers, each of its own features: (B, R·F) to (R, B, N)."""

    def __init__(self, layers: Sequence[nn.Linear]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.stack([layer.weight.detach() for layer in layers]))
        self.bias = nn.Parameter(torch.stack([layer.bias.detach() for layer in layers]))

    def forward(self, x: Tensor) -> Tensor:
        features = x.view(len(x), len(self.weight), -1).transpose(0, 1)
        return torch.baddbmm(self.bias[:, None], features, self.weight.transpose(1, 2))


def _joined(modules: list[nn.Module]) -> nn.Module:
    one = modules[0]
    if isinstance(one, nn.Conv2d):
        return _filled(_convolution(one, len(modules)), modules)
    if isinstance(one, nn.BatchNorm2d):
        channels = one.num_features * len(modules)
        return _filled(nn.BatchNorm2d(channels, one.eps, one.momentum), modules)
    if isinstance(one, nn.Linear):
        return _Heads(cast(list[nn.Linear], modules))
    if [*one.parameters(recurse=False), *one.buffers(recurse=False)]:
        raise TypeError(f"a {type(one).__name__} cannot be stacked")
    made = copy.copy(one)
    made._modules = {
        name: _joined([module.get_submodule(name) for module in modules])
        for name, _ in one.named_children()
    }
    return made


def _convolution(one: nn.Conv2d, count: int) -> nn.Conv2d:
    return nn.Conv2d(
        one.in_channels * count,
        one.out_channels * count,
        cast(tuple[int, int], one.kernel_size),
        cast(tuple[int, int], one.stride),
        cast(tuple[int, int], one.padding),
        cast(tuple[int, int], one.dilation),
        groups=one.groups * count,
        bias=one.bias is not None,
    )


def _filled(wide: nn.Module, modules: Sequence[nn.Module]) -> nn.Module:
    states = [module.state_dict() for module in modules]
    for name, tensor in wide.state_dict().items():
        if tensor.ndim:
            tensor.copy_(torch.cat([state[name] for state in states]))
    return wide


def fit(
    stack: Stack,
    examples: Sequence[Sequence[Examples]],
    soft: Tensor,
    recipe: Recipe,
    data: ImageData,
) -> list[Found]:
    """Train stacked networks; each one's weights of its best epoch are tested."""
    optimizer = torch.optim.SGD(
        stack.parameters(), recipe.learning_rate, recipe.momentum, weight_decay=recipe.weight_decay
    )
    steps = recipe.steps_per_epoch(len(data.train))
    val = data.normalize(data.val.images.float()), data.val.labels
    best, curve = torch.full((stack.count,), -1.0), []
    kept = _copied(stack)
    for epoch in range(recipe.epochs):
        for step in range(steps):
            for group in optimizer.param_groups:
                group["lr"] = recipe.rate(epoch + (step + 0.5) / steps)
            optimizer.zero_grad()
            _loss(stack, [example[epoch * steps + step] for example in examples], soft).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        result = stack.accuracies(*val)
        kept = _of_best(stack, result >= best, kept)
        best = torch.maximum(best, result)
        curve.append(result)
    stack.load_state_dict(kept)
    test = stack.accuracies(data.normalize(data.test.images.float()), data.test.labels)
    curves = (100 * torch.stack(curve, dim=1)).double().round(decimals=2).tolist()
    return [
        Found(tuple(curve), round(100 * accuracy, 4))
        for curve, accuracy in zip(curves, test.tolist(), strict=True)
    ]


def _copied(stack: Stack) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in stack.state_dict().items()}


def _of_best(stack: Stack, better: Tensor, kept: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the states of the networks that are better now, and those kept of the others."""
    now = _copied(stack)
    return {name: stack.selected(better, now[name], kept[name]) for name in now}


def _loss(stack: Stack, examples: Sequence[Examples], soft: Tensor) -> Tensor:
    """Return the sum of the losses of all networks."""
    logits = stack(torch.stack([example.images for example in examples]))
    total: Tensor = logits.new_zeros(())
    for own, example, distilled in zip(logits, examples, soft.tolist(), strict=True):
        hard = nn.functional.cross_entropy(own, example.labels)
        if distilled:
            soft_loss = kd_loss(own, example.logits, temperature=TEMPERATURE)
            total = total + HARD * hard + SOFT * soft_loss
        else:
            total = total + hard
    return total
