"""Prepare the network for export: a copy in evaluation mode that returns only its output."""

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from diswot.errors import ExportError, NetworkError, first_line
from diswot.networks import unwrapped
from diswot.networks.copies import copied
from diswot.networks.output import output_of
from diswot.tasks import Packaging
from search_spaces import OPEN_LENGTH

CHECKED = 8
"""Number of examples of the batch on which every format is run."""

OTHER_LENGTH = OPEN_LENGTH - 5
"""Length of axes of variable length in the second batch."""


class OutputOnly(nn.Module):
    """Wraps a network so that it returns only its output tensor."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, *inputs: Tensor) -> Tensor:
        """Return the output of the network for a batch of each input."""
        return output_of(self.network(*inputs))


def standalone(student: nn.Module) -> OutputOnly:
    """Return the copy of a student that is exported; the student is unchanged.

    The copy is on the CPU, in fp32 and evaluation mode. Parametrized weights
    (`torch.nn.utils.parametrize`) are computed once and stored.

    Raises:
        NetworkError: the student cannot be copied.
    """
    network = copied(unwrapped(student)).cpu().float().eval().requires_grad_(False)
    for module in list(network.modules()):
        if parametrize.is_parametrized(module):
            for name in list(module.parametrizations):  # type: ignore[arg-type]
                parametrize.remove_parametrizations(module, name, leave_parametrized=True)
    return OutputOnly(network)


def cases_of(packaging: Packaging) -> tuple[tuple[Tensor, ...], ...]:
    """Return the inputs on which every format is run.

    These are a batch, its first example alone, and, if inputs have axes of variable length or may
    be shorter, a batch with another length. Floating-point inputs are fp32.
    """
    generator = torch.Generator().manual_seed(0)
    batches = [packaging.example(CHECKED, generator=generator)]
    if any(None in spec.shape for spec in packaging.signature.inputs):
        batches.append(packaging.example(2, length=OTHER_LENGTH, generator=generator))
    elif packaging.shorter:
        batches.append(tuple(map(_shortened, batches[0])))
    first, *others = (
        tuple(item.float() if item.is_floating_point() else item for item in inputs)
        for inputs in batches
    )
    return first, tuple(item[:1] for item in first), *others


def _shortened(inputs: Tensor) -> Tensor:
    """Return the start of two examples (B, …), two thirds along each axis."""
    return inputs[(slice(2), *(slice(max(1, 2 * axis // 3)) for axis in inputs.shape[1:]))]


def outputs_of(network: nn.Module, cases: Sequence[tuple[Tensor, ...]]) -> tuple[Tensor, ...]:
    """Return the outputs of `network` for each case.

    Args:
        network: the network in evaluation mode.
        cases: inputs of each case.

    Raises:
        ExportError: the forward pass fails, or is not deterministic.
    """
    try:
        with torch.inference_mode():
            first, again = (tuple(network(*inputs).float() for inputs in cases) for _ in range(2))
    except NetworkError as error:
        raise ExportError(str(error)) from error
    except Exception as error:  # the network may raise anything
        raise ExportError(
            f"the student does not run on {CHECKED} examples and on one "
            f"({type(error).__name__}: {first_line(error)}): make it take any number"
        ) from error
    if not all(map(partial(torch.allclose, equal_nan=True), first, again)):
        raise ExportError(
            "the student gives other outputs each time it runs in evaluation mode: make it "
            "deterministic (functional dropout needs training=self.training)"
        )
    return first
