"""Small networks and batches for contract checks."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from diswot.seeding import torch_seed
from search_spaces import ResNetDepthSpace, TextEncoder

CLASSES = 4
IMAGES = 8


def residual(seed: int, *, widths: tuple[int, int, int, int]) -> nn.Module:
    """Return a residual network with feature maps of 16², 8² and 4²."""
    with torch_seed(seed):
        return ResNetDepthSpace((1, 2), widths=widths).build((1, 2, 1), CLASSES)


def small_student() -> nn.Module:
    """Return a network of 4 to 8 channels."""
    return residual(1, widths=(4, 4, 6, 8))


def small_teacher() -> nn.Module:
    """Return a wider network of the same depth."""
    return residual(2, widths=(8, 8, 12, 16))


def small_encoder(seed: int, *, hidden: int) -> nn.Module:
    """Return a transformer encoder of texts of up to 6 tokens."""
    with torch_seed(seed):
        return TextEncoder(
            vocabulary=30,
            length=6,
            outputs=CLASSES,
            layers=2,
            hidden=hidden,
            heads=2,
            head_size=4,
            ratio=2,
        )


def example_texts() -> tuple[Tensor, Tensor]:
    """Return token ids (8, 6) and a padding mask (8, 6)."""
    tokens = torch.randint(4, 30, (IMAGES, 6), generator=torch.Generator().manual_seed(0))
    mask = torch.arange(6) < 3 + torch.arange(IMAGES)[:, None] % 4
    return tokens * mask, mask


def example_images() -> Tensor:
    """Return images (8, 3, 16, 16)."""
    return torch.randn(IMAGES, 3, 16, 16, generator=torch.Generator().manual_seed(0))


def example_labels() -> Tensor:
    """Return labels (8,) with each class twice."""
    return torch.arange(IMAGES) % CLASSES


def require(holds: bool, rule: str) -> None:
    """Raise an `AssertionError` that names `rule`, unless it holds."""
    if not holds:
        raise AssertionError(rule)


@contextmanager
def unchanged(network: nn.Module, rule: str) -> Iterator[None]:
    """Check that a block changes no weight and no mode of `network`.

    Running statistics of batch normalization may change.

    Raises:
        AssertionError: a weight or a mode was changed; the message names it after the rule.
    """
    before = {name: weight.clone() for name, weight in network.named_parameters()}
    modes = [module.training for module in network.modules()]
    yield
    for name, weight in network.named_parameters():
        require(torch.equal(weight, before[name]), f"{rule}: {name} was changed")
    require(modes == [module.training for module in network.modules()], f"{rule}: its mode changed")


@contextmanager
def global_randomness_unused(rule: str) -> Iterator[None]:
    """Check that a block does not use torch's global generator.

    Raises:
        AssertionError: the generator was used.
    """
    before = torch.random.get_rng_state()
    yield
    require(
        torch.equal(before, torch.random.get_rng_state()),
        f"{rule}: torch's global generator was used",
    )
