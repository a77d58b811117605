"""The network that is exported: a copy in evaluation mode that returns its output alone."""

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from diswot.errors import ExportError, NetworkError, first_line
from diswot.networks.copies import copied
from diswot.networks.output import output_of
from diswot.students import unwrapped


class OutputOnly(nn.Module):
    """A network that returns its output alone, as a tensor."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        """Return the output of the network for `images`."""
        return output_of(self.network(images))


def standalone(student: nn.Module) -> OutputOnly:
    """Return a copy of a student as it is exported; the student is unchanged.

    The copy is on the CPU, in single precision and evaluation mode; weights that are computed
    from others in every pass (`torch.nn.utils.parametrize`) are computed once.

    Raises:
        NetworkError: the student cannot be copied.
    """
    network = copied(unwrapped(student)).cpu().float().eval().requires_grad_(False)
    for module in list(network.modules()):
        if parametrize.is_parametrized(module):
            for name in list(module.parametrizations):  # type: ignore[arg-type]
                parametrize.remove_parametrizations(module, name, leave_parametrized=True)
    return OutputOnly(network)


def outputs_of(network: nn.Module, images: Tensor) -> Tensor:
    """Return the outputs of `network` for a batch, followed by those for its first image alone.

    Raises:
        ExportError: the network cannot run on them, or does not give the same outputs twice.
    """
    try:
        with torch.inference_mode():
            first, again = (
                torch.cat([network(images), network(images[:1])]).float() for _ in range(2)
            )
    except NetworkError as error:
        raise ExportError(str(error)) from error
    except Exception as error:  # the network may raise anything
        raise ExportError(
            f"the student does not run on {len(images)} images and on one "
            f"({type(error).__name__}: {first_line(error)}): make it take any number"
        ) from error
    if not torch.allclose(first, again, equal_nan=True):
        raise ExportError(
            "the student gives other outputs each time it runs in evaluation mode: make it "
            "deterministic (functional dropout needs training=self.training)"
        )
    return first
