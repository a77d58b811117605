"""What teachers from other libraries have in common."""

import importlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from diswot.activations import ActivationReader, trial_pass
from diswot.copies import copied
from diswot.data import ImageSpec
from diswot.errors import MissingExtraError, TeacherError, first_line
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
        shown: wraps a network so that it takes the data's images.
        images: what they are.
        names: of the network's classes, where known.
        classes: names of the data's classes, where known.
        notes: what is to be said besides.

    Raises:
        NetworkError: the network does not take the images, or has other classes.
        TeacherError: its answer is not the output of its last linear layer.
    """
    wrapped = shown(network)
    classifier = _checked(wrapped, images, f"teacher {name}")
    order = _in_order(classifier, names, classes)
    return Teacher(
        name, partial(_wrapped, fresh, shown), partial(copied, wrapped), (*notes, *order)
    )


def _wrapped(fresh: Callable[[], nn.Module], shown: Callable[[nn.Module], nn.Module]) -> nn.Module:
    return shown(fresh())


@torch.no_grad()
def _checked(network: nn.Module, images: ImageSpec, who: str) -> nn.Linear:
    """Make sure that a network takes the images; return its classifier, whose output it gives."""
    sample = torch.randn(2, *images.shape, generator=torch.Generator().manual_seed(0))
    trial_pass(network, sample, num_classes=images.num_classes, who=who)
    with ActivationReader(network) as read:
        shown = read(sample)
    output = network(sample)
    logits = output if isinstance(output, Tensor) else output.logits
    if logits.shape != shown.logits.shape or not torch.allclose(logits, shown.logits, atol=1e-4):
        raise TeacherError(
            f"{who} answers with something else than the output of its last linear layer, "
            "so its classifier cannot be read: give one with a single linear head"
        )
    return next(
        module
        for module in network.modules()
        if isinstance(module, nn.Linear) and module.weight is shown.classifier_weight
    )


@torch.no_grad()
def _in_order(
    classifier: nn.Linear, names: Sequence[str] | None, classes: Sequence[str] | None
) -> tuple[str, ...]:
    """Put the rows of a classifier in the order of the data's classes; say what was done."""
    if names is None or classes is None or list(names) == list(classes):
        return ()
    if sorted(names) != sorted(classes):
        return (
            f"its classes are not called as those of the data ({names[0]}, … for {classes[0]}, …): "
            "they are taken to be in the same order",
        )
    rows = torch.tensor([list(names).index(name) for name in classes])
    classifier.weight.copy_(classifier.weight[rows])
    if classifier.bias is not None:
        classifier.bias.copy_(classifier.bias[rows])
    return (f"its classes are put in the order of the data's ({', '.join(classes[:3])}, …)",)
