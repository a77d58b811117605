"""AZ-NAS trainability: whether gradients keep their norm through each block."""

import torch
from torch import Tensor

from diswot.errors import NetworkError
from diswot.networks import Activations
from diswot.networks.probe import Probe
from diswot.scorers._card import Card
from diswot.scorers._registry import register
from diswot.scorers.noise_blocks import BlockCall, noise_block_calls
from diswot.scorers.positions import channels, grid, patches


@register(
    Card(
        "az_trainability",
        "closeness of each block's Jacobian to norm 1",
        "Lee and Ham, AZ-NAS, CVPR 2024, equations 6 to 11",
        needs_teacher=False,
        needs_gradients=True,
        cost="one forward and one backward pass of noise",
        supports="networks of several blocks",
    )
)
def az_trainability(student: Probe, _teacher: Activations) -> Tensor:
    """Return the mean of −σ_l − 1/σ_l + 2 over blocks l = 2, …, L; ≤ 0, highest for σ_l = 1.

    Source: Lee and Ham, AZ-NAS, CVPR 2024, equations 6 to 11. σ_l is the spectral norm of
    A_l, the mean of v uᵀ over all positions of all images. v are random signs, used as the
    gradient at the output of block l, and u is the resulting gradient at its input. Since
    E[v vᵀ] is the identity, A_l estimates the Jacobian between input and output channels. The
    inputs are the noise of `az_expressivity`. An identity block has σ_l = 1.

    Interpretation: if a block reduces the resolution by a factor s, the s × s input positions
    of an output position are concatenated to s² times as many channels (A_l need not be square
    for a spectral norm). Tokens count as positions.

    Raises:
        NetworkError: the network has only one block, or a block's output does not depend on
            its input.
    """
    generator = student.generator("az_trainability")
    calls = student.once(noise_block_calls)[1:]
    if not calls:
        raise NetworkError("the network has 1 block: az_trainability needs 2 or more")
    norms = torch.stack([_jacobian_norm(call, _signs(student, call, generator)) for call in calls])
    if not (norms > 0).all():
        raise NetworkError(
            "the output of a block does not depend on its input, so no gradient passes: "
            "use another scorer for this network"
        )
    return (2 - norms - 1 / norms).mean()


def _signs(student: Probe, call: BlockCall, generator: torch.Generator) -> Tensor:
    """Return random signs ±1 in the shape of a block's output."""
    bits = torch.empty(call.shape, dtype=torch.int8).random_(0, 2, generator=generator)
    return (2 * bits - 1).to(next(student.network.parameters()))


def _jacobian_norm(call: BlockCall, signs: Tensor) -> Tensor:
    """Return the spectral norm σ of one block; 0 if its output does not depend on its input."""
    at_input = _backward(call, signs)
    if at_input is None:
        return signs.new_zeros(())
    # E[v uᵀ] over positions estimates the Jacobian; its largest singular value is σ.
    v, u = channels(signs), patches(at_input, *grid(signs).shape[2:])
    norm: Tensor = torch.linalg.matrix_norm(v.T @ u / len(v), ord=2)
    return norm


def _backward(call: BlockCall, at_output: Tensor) -> Tensor | None:
    if call.given_edge is None or call.output_edge is None:
        return None
    return torch.autograd.grad(
        call.output_edge, call.given_edge, at_output, retain_graph=True, allow_unused=True
    )[0]
