"""How similar the activations of two networks are, block by block, for `teacher_alignment`."""

import torch
from torch import Tensor
from torch.nn import functional as F

from diswot.errors import NetworkError
from diswot.networks import Activations, Watch
from diswot.networks.layers import blocks
from diswot.networks.precision import at_least_single, near_one
from diswot.networks.probe import Probe

FEWEST = 4
"""Images that an unbiased estimate needs."""


def block_alignments(student: Activations, teacher: Activations) -> Tensor:
    """Return the linear CKA of every block of the student with the teacher's at its depth: (L,).

    Block l of L is compared with block ⌈l·L_T / L⌉ of the teacher's L_T.

    Raises:
        NetworkError: one of the networks has no blocks.
    """
    own, theirs = _kernels(student), _kernels(teacher)
    matched = theirs[matched_depths(len(own), len(theirs))]
    return (own * matched.to(own)).sum(dim=(1, 2))


def image_alignments(student: Probe) -> Tensor:
    """Return the linear CKA of every block of the student with the inputs themselves: (L,).

    Whole numbers are names, not quantities: with inputs of these alone it is 0.

    Raises:
        NetworkError: the student has no blocks.
    """
    kernels = _kernels(student)
    reals = [each.detach().flatten(1) for each in student.inputs if each.is_floating_point()]
    if not reals:
        return kernels.new_zeros(len(kernels))
    return (kernels * unit_kernel(torch.cat(reals, dim=1))).sum(dim=(1, 2))


def _kernels(activations: Activations) -> Tensor:
    """Return the kernels of the blocks that give something per image: (L, B, B).

    Some give rows of parts of images, which have no part in this.
    """
    found, images = activations.watched(KERNELS), len(activations.output)
    per_image = [kernel for kernel in found if len(kernel) == images]
    if not per_image:
        raise NetworkError(
            f"no block of the network gives one row per image: of {images} images they give "
            f"{len(found[0])} rows; use another scorer"
        )
    return torch.stack(per_image)


def matched_depths(own: int, theirs: int) -> list[int]:
    """Return for each of `own` blocks the place of that at its depth among `theirs` blocks.

    Examples:
        >>> matched_depths(3, 6)
        [1, 3, 5]
    """
    return [(block * theirs - 1) // own for block in range(1, own + 1)]


def unit_kernel(features: Tensor) -> Tensor:
    """Return the kernel of (B, …) features, centered without bias and of norm one: (B, B).

    The inner product of two of these is the linear CKA of Kornblith et al., ICML 2019,
    equation 3, with the unbiased HSIC of Song et al., JMLR 2012, equation 5. A batch whose
    features are all equal, or of fewer than four images, has the kernel zero.

    Examples:
        >>> features = torch.randn(6, 3, 4, 4)
        >>> kernel = unit_kernel(features)
        >>> torch.allclose((kernel * unit_kernel(-2 * features)).sum(), torch.tensor(1.0))
        True
    """
    rows = at_least_single(features).flatten(1)
    rows = near_one(rows - rows.mean(dim=0))
    images = len(rows)
    if images < FEWEST:
        return rows.new_zeros(images, images)
    kernel = (rows @ rows.T).fill_diagonal_(0)
    sums = kernel.sum(dim=1)
    kernel = kernel - (sums[:, None] + sums) / (images - 2)
    kernel = (kernel + sums.sum() / ((images - 1) * (images - 2))).fill_diagonal_(0)
    return F.normalize(kernel.flatten(), dim=0).reshape(images, images)


def _kernel(_given: Tensor, output: Tensor) -> Tensor:
    return unit_kernel(output.detach())


KERNELS = Watch(blocks, _kernel)
