"""What teachers from other libraries have in common."""

import importlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor, nn

from diswot.activations import ActivationReader, ForwardPass, trial_pass
from diswot.copies import copied
from diswot.data import ImageSpec
from diswot.errors import MissingExtraError, first_line
from diswot.output import output_of
from diswot.teachers._teacher import Teacher


def imported(package: str, *, extra: str, who: str) -> Any:
    """Import a library that is only needed here.

    Raises:
        MissingExtraError: it is not installed, or not in a form that can be imported.
    """
    try:
        return importlib.import_module(package)
    except Exception as error:  # binaries that do not fit torch's raise anything
        missing = isinstance(error, ModuleNotFoundError) and error.name in package.split(".")
        if missing:
            raise MissingExtraError(extra, extra, who) from error
        reason = f"cannot be imported here ({type(error).__name__}: {first_line(error)})"
        raise MissingExtraError(extra, extra, who, reason=reason) from error


class InOrder(nn.Module):
    """A network whose classes are in another order; for those without one linear classifier.

    Args:
        network: gives the logits.
        order: for each class the place of its logit in the network's output.
    """

    order: Tensor

    def __init__(self, network: nn.Module, order: Tensor) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("order", order)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B, C, H, W) to logits (B, N)."""
        return output_of(self.network(images))[:, self.order]


def library_teacher(
    name: str,
    network: nn.Module,
    *,
    fresh: Callable[[], nn.Module],
    shown: Callable[[nn.Module], nn.Module],
    images: ImageSpec,
    names: Sequence[str] | None,
    classes: Sequence[str] | None,
    notes: Sequence[str] = (),
) -> Teacher:
    """Return the teacher that a library's network is.

    Args:
        name: what the teacher is called.
        network: with its weights.
        fresh: makes the network at random initialisation.
        shown: wraps a network, as its `network`, so that it takes the data's images.
        images: what they are.
        names: of the network's classes, where known.
        classes: names of the data's classes, where known.
        notes: what is to be said besides.

    Raises:
        NetworkError: the network does not take the images, or has other classes.
    """
    wrapped = shown(network)
    seen = _checked(wrapped, images, f"teacher {name}")
    order = _in_order(wrapped, seen, names, classes)
    return Teacher(
        name, partial(_wrapped, fresh, shown), partial(copied, wrapped), (*notes, *order)
    )


def _wrapped(fresh: Callable[[], nn.Module], shown: Callable[[nn.Module], nn.Module]) -> nn.Module:
    return shown(fresh())


def _checked(network: nn.Module, images: ImageSpec, who: str) -> ForwardPass:
    """Make sure that a network takes the images; return what it shows of two."""
    sample = torch.randn(2, *images.shape, generator=torch.Generator().manual_seed(0))
    trial_pass(network, sample, num_classes=images.num_classes, who=who)
    with torch.no_grad(), ActivationReader(network, who=who) as read:
        return read.forward(sample)


@torch.no_grad()
def _in_order(
    wrapped: nn.Module,
    seen: ForwardPass,
    names: Sequence[str] | None,
    classes: Sequence[str] | None,
) -> tuple[str, ...]:
    """Put the outputs of a network in the order of the data's classes; say what was done."""
    if names is None or classes is None or list(names) == list(classes):
        return ()
    if sorted(names) != sorted(classes):
        return (
            f"its classes are not called as those of the data ({names[0]}, … for {classes[0]}, …): "
            "they are taken to be in the same order",
        )
    rows = torch.tensor([list(names).index(name) for name in classes])
    linear = [module for module in wrapped.modules() if isinstance(module, nn.Linear)]
    classifier = next((layer for layer in linear if layer.weight is seen.classifier_weight), None)
    if classifier is None:
        wrapped.network = InOrder(cast(nn.Module, wrapped.network), rows)
    else:
        classifier.weight.copy_(classifier.weight[rows])
        if classifier.bias is not None:
            classifier.bias.copy_(classifier.bias[rows])
    return (f"its classes are put in the order of the data's ({', '.join(classes[:3])}, …)",)
