"""Small networks for tests of scorers, and their activations."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn

from diswot.networks import ActivationReader, Activations, scoring_mode
from diswot.networks.costs import Costs
from diswot.networks.probe import Probe
from diswot.scorers import Scorer, all_terms, find_scorer
from search_spaces import CifarResNet, NASBench201Space, VisionTransformer

CLASSES = 7
IMAGES = 12

Batch = tuple[Tensor, Tensor]


def batch(seed: int = 0) -> Batch:
    """Return images (12, 3, 16, 16) and labels."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(IMAGES, 3, 16, 16, generator=generator)
    return images, torch.randint(CLASSES, (IMAGES,), generator=generator)


def resnet(seed: int) -> CifarResNet:
    """Return a small residual network."""
    torch.manual_seed(seed)
    return CifarResNet((1, 2, 1), num_classes=CLASSES, widths=(4, 4, 8, 16))


def cell() -> nn.Module:
    """Return a network of NAS-Bench-201 with an edge that does not reach the output."""
    torch.manual_seed(3)
    space = NASBench201Space(channels=4, cells=1)
    arch = space.from_string(
        "|nor_conv_3x3~0|+|nor_conv_1x1~0|none~1|+|avg_pool_3x3~0|skip_connect~1|none~2|"
    )
    return space.build(arch, CLASSES)


def transformer() -> nn.Module:
    """Return a small vision transformer."""
    torch.manual_seed(4)
    return VisionTransformer(
        hidden=12, heads=[1, 1], mlp_ratios=[2, 2], num_classes=CLASSES, image_size=16
    )


NETWORKS: Mapping[str, Callable[[], nn.Module]] = MappingProxyType(
    {"resnet": partial(resnet, 1), "cell": cell, "transformer": transformer}
)


def layers(network: nn.Module) -> list[Any]:
    """Return convolutions and linear layers."""
    return [module for module in network.modules() if isinstance(module, nn.Conv2d | nn.Linear)]


def probe_of(network: nn.Module, examples: Batch, scorer: str | Scorer, *, seed: int = 0) -> Probe:
    """Return the probe of `network`, in training mode, for the scorer of that name."""
    found = find_scorer(scorer)
    params = sum(parameter.numel() for parameter in network.parameters())
    return Probe(
        network.train(),
        examples[0],
        labels=examples[1],
        costs=Costs(params, 10 * params),
        seed=seed,
        watches=found.watches,
        differentiable=found.card.needs_gradients,
    )


def teacher_for(network: nn.Module, examples: Batch, scorer: str) -> Activations:
    """Return the activations of `network` as teacher for the scorer of that name."""
    watches = find_scorer(scorer).teacher_watches
    with (
        torch.no_grad(),
        scoring_mode(network),
        ActivationReader(network, watches=watches) as read,
    ):
        return read(examples[0], labels=examples[1])


def scored(
    network: nn.Module, teacher: nn.Module, examples: Batch, scorer: str
) -> dict[str, float]:
    """Return all terms of the scorer of that name."""
    return find_scorer(scorer)(
        probe_of(network, examples, scorer), teacher_for(teacher, examples, scorer)
    )


def score(name: str, network: nn.Module, examples: Batch | None = None, *, seed: int = 0) -> float:
    """Return the score of `network` with itself as teacher."""
    student = probe_of(network, examples or batch(), name, seed=seed)
    return find_scorer(name)(student, student)[name]


def read_together(network: nn.Module, names: Iterable[str]) -> dict[str, float]:
    """Return all terms of several scorers of `network`, computed from shared passes."""
    scorer = all_terms(names)
    student = probe_of(network, batch(), scorer)
    return scorer(student, student)


def dead() -> nn.Module:
    """Return a network whose cells output only zeros."""
    torch.manual_seed(3)
    space = NASBench201Space(channels=4, cells=1)
    return space.build(("none",) * 6, CLASSES)


def without_normalization() -> nn.Module:
    """Return a network that changes the output of its convolutions in place."""
    torch.manual_seed(5)
    return nn.Sequential(
        nn.Conv2d(3, 5, 3, stride=2, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(5, 6, 3, padding=1, padding_mode="circular"),
        nn.ReLU(inplace=True),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(6, CLASSES),
    )


def calls(
    network: nn.Module, modules: Sequence[nn.Module], images: Tensor
) -> list[tuple[Tensor, Tensor]]:
    """Return input and output of `modules`, one tuple per call."""
    kept = []
    handles = [
        module.register_forward_hook(lambda _m, i, o: kept.append((i[0], o.clone())))
        for module in modules
    ]
    network.train()(images)
    for handle in handles:
        handle.remove()
    return kept
