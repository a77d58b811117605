"""AZ-NAS, trainability: whether each block keeps the size of a gradient."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.autograd.graph import GradientEdge, get_gradient_edge

from diswot.activations import Activations, Watch
from diswot.errors import NetworkError
from diswot.layers import blocks
from diswot.probe import Probe
from diswot.scorers._card import Card
from diswot.scorers._positions import channels, grid, patches
from diswot.scorers._registry import register


@dataclass(frozen=True, eq=False)
class BlockCall:
    """Input and output of a block, and where the graph of the forward pass has them.

    Kept as edges of the graph, as what comes after a block may change its output in place.
    """

    output: Tensor
    given_edge: GradientEdge | None
    output_edge: GradientEdge | None


def _call(given: Tensor, output: Tensor) -> BlockCall:
    return BlockCall(output.detach(), _edge(given), _edge(output))


def _edge(shown: Tensor) -> GradientEdge | None:
    return get_gradient_edge(shown) if shown.requires_grad else None


CALLS = Watch(blocks, _call)


@register(
    Card(
        "az_trainability",
        "how near the Jacobian of each block is to norm 1",
        "Lee and Ham, AZ-NAS, CVPR 2024, equations 6 to 11",
        needs_teacher=False,
        needs_gradients=True,
        cost="one forward and one backward pass",
        supports="networks of several blocks",
    ),
    watches=[CALLS],
)
def az_trainability(student: Probe, _teacher: Activations) -> Tensor:
    """Return the mean of −σ_l − 1/σ_l + 2 over the blocks l = 2, …, L; ≤ 0.

    σ_l is the spectral norm of A_l = mean of v uᵀ over the positions of all images: v
    are random signs, given as the gradient at the output of block l, u the gradient
    that they cause at its input; E[v vᵀ] = 1 makes A_l the Jacobian between the
    channels of input and output, the same at every position.

    Readings: where a block reduces the resolution s times, the s × s positions of its
    input that belong to one of its output are taken as s² times as many channels (a
    rectangular A_l has a spectral norm all the same). Positions are tokens in a
    transformer. The images are those of the batch, where the paper takes Gaussian noise.

    Raises:
        NetworkError: the network has one block, or the output of one does not depend
            on its input.
    """
    generator = student.generator("az_trainability")
    calls = student.watched(CALLS)[1:]
    if not calls:
        raise NetworkError("the network has 1 block: az_trainability needs 2 or more")
    norms = torch.stack([_jacobian_norm(call, generator) for call in calls])
    if not (norms > 0).all():
        raise NetworkError(
            "the output of a block does not depend on its input, so no gradient passes: "
            "use another scorer for this network"
        )
    return (2 - norms - 1 / norms).mean()


def _jacobian_norm(call: BlockCall, generator: torch.Generator) -> Tensor:
    """Return σ of one block; 0 if its output does not depend on its input."""
    signs = torch.empty(call.output.shape, dtype=torch.int8).random_(0, 2, generator=generator)
    at_output = (2 * signs - 1).to(call.output)
    at_input = _backward(call, at_output)
    if at_input is None:
        return at_output.new_zeros(())
    v = channels(at_output)
    u = patches(at_input, *grid(at_output).shape[2:])
    norm: Tensor = torch.linalg.matrix_norm(v.T @ u / len(v), ord=2)
    return norm


def _backward(call: BlockCall, at_output: Tensor) -> Tensor | None:
    if call.given_edge is None or call.output_edge is None:
        return None
    return torch.autograd.grad(
        call.output_edge, call.given_edge, at_output, retain_graph=True, allow_unused=True
    )[0]
