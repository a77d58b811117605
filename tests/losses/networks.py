"""Small networks of every family, and one step of a loss between two of them."""

import copy
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from diswot.losses import Criterion, Losses, TrainingBatch, parse_objective
from diswot.networks import ActivationReader, Activations, ForwardPass, Watch
from search_spaces import CifarResNet

CLASSES = 4
IMAGES = 6
TRAIN_IMAGES = 20
EXAMPLES = torch.randn(IMAGES, 3, 16, 16, generator=torch.Generator().manual_seed(0))
LABELS = torch.tensor([0, 1, 2, 3, 1, 2])
BATCH = TrainingBatch(one_hot(LABELS, CLASSES).float(), LABELS, torch.arange(IMAGES))


class Layer(nn.Module):
    """A transformer block with a shortcut."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, width))

    def forward(self, tokens: Tensor) -> Tensor:
        activations: Tensor = tokens + self.mlp(self.norm(tokens))
        return activations


class Transformer(nn.Module):
    """Patches of 4×4 as tokens, with a class token before them."""

    def __init__(self, depth: int, width: int) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, width, 4, 4)
        self.token = nn.Parameter(torch.zeros(1, 1, width))
        self.layers = nn.ModuleList(Layer(width) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        tokens = self.patches(images).flatten(2).mT
        tokens = torch.cat([self.token.expand(len(images), -1, -1), tokens], dim=1)
        for layer in self.layers:
            tokens = layer(tokens)
        logits: Tensor = self.head(self.norm(tokens).mean(dim=1))
        return logits


def residual(seed: int, *widths: int, depths: tuple[int, int, int] = (1, 1, 1)) -> CifarResNet:
    """Return a residual network with feature maps of 16², 8² and 4²."""
    torch.manual_seed(seed)
    first, *_ = widths
    return CifarResNet(depths, num_classes=CLASSES, widths=(first, *widths)).eval()


def plain(seed: int) -> nn.Sequential:
    """Return a network without blocks; its four stages have feature maps of 14², 7², 4² and 2²."""
    torch.manual_seed(seed)
    widths = (3, 5, 7, 9, 11)
    layers: list[nn.Module] = []
    for before, width in pairwise(widths):
        padding = 0 if before == 3 else 1
        layers += [nn.Conv2d(before, width, 3, 1 if padding == 0 else 2, padding), nn.ReLU()]
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(widths[-1], CLASSES)]
    return nn.Sequential(*layers, *head).eval()


def transformer(seed: int, depth: int = 4, width: int = 6) -> Transformer:
    """Return a vision transformer with 4×4 tokens."""
    torch.manual_seed(seed)
    return Transformer(depth, width).eval()


def built(loss: str, student: nn.Module, teacher: nn.Module | None, *, seed: int = 0) -> Criterion:
    """Return the loss of two networks, with its parts prepared on the teacher."""
    criterion = parse_objective(loss).build(
        student, teacher, EXAMPLES, outputs=CLASSES, train_examples=TRAIN_IMAGES, seed=seed
    )
    if criterion.needs_preparation and teacher is not None:
        with torch.no_grad():
            wanted = activations(teacher, criterion.teacher_watches)
        criterion.prepare([wanted])
    return criterion


def activations(network: nn.Module, watches: Sequence[Watch[Any]] = ()) -> Activations:
    """Return the activations of a network for the examples."""
    return Activations(forward_pass(network, watches))


def forward_pass(network: nn.Module, watches: Sequence[Watch[Any]] = ()) -> ForwardPass:
    with ActivationReader(network, watches=watches) as read:
        return read.forward(EXAMPLES)


def value(
    criterion: Criterion,
    student: nn.Module,
    teacher: nn.Module | None,
    batch: TrainingBatch = BATCH,
) -> Losses:
    """Return the loss; the teacher's pass is in the graph, so that its gradients can be tested."""
    torch.manual_seed(0)  # for terms that draw random numbers
    wanted = None if teacher is None else activations(teacher, criterion.teacher_watches)
    found = criterion(activations(student, criterion.student_watches), wanted, batch)
    assert isinstance(found, Losses)
    return found


def twin(network: nn.Module) -> nn.Module:
    return copy.deepcopy(network)
