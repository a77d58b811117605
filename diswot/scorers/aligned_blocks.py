"""Linear CKA between the blocks of two networks, for the scorer `teacher_alignment`."""

import torch
from torch import Tensor
from torch.nn import functional as F

from diswot.errors import NetworkError
from diswot.networks import Activations, Watch
from diswot.networks.layers import blocks
from diswot.networks.precision import at_least_single, near_one
from diswot.networks.probe import Probe

FEWEST = 4
"""Minimal number of images for the unbiased estimate of HSIC."""


def block_alignments(student: Activations, teacher: Activations) -> Tensor:
    """Return the linear CKA of each student block with the teacher's block at its relative depth.

    Block l of L is compared with block ⌈l·L_T / L⌉ of the teacher's L_T blocks.

    Args:
        student: activations of the student, recorded with `KERNELS`.
        teacher: activations of the teacher for the same batch, recorded with `KERNELS`.

    Returns:
        Similarities (L,), at most 1.

    Raises:
        NetworkError: one of the networks has no blocks.
    """
    own, theirs = _kernels(student), _kernels(teacher)
    matched = theirs[matched_depths(len(own), len(theirs))]
    return (own * matched.to(own)).sum(dim=(1, 2))


def image_alignments(student: Probe) -> Tensor:
    """Return the linear CKA of each student block with the inputs: (L,).

    Integer inputs (token ids) have no meaningful distances and are ignored; without any real
    inputs the result is 0.

    Raises:
        NetworkError: the student has no blocks.
    """
    kernels = _kernels(student)
    reals = [item.detach().flatten(1) for item in student.inputs if item.is_floating_point()]
    if not reals:
        return kernels.new_zeros(len(kernels))
    return (kernels * unit_kernel(torch.cat(reals, dim=1))).sum(dim=(1, 2))


def _kernels(activations: Activations) -> Tensor:
    """Return the kernels (L, B, B) of the blocks whose output has one row per image.

    Blocks that split images into parts (more rows than images) are ignored.
    """
    result, images = activations.watched(KERNELS), len(activations.output)
    per_image = [kernel for kernel in result if len(kernel) == images]
    if not per_image:
        raise NetworkError(
            f"no block of the network returns one row per image: for {images} images they return "
            f"{len(result[0])} rows; use another scorer"
        )
    return torch.stack(per_image)


def matched_depths(own: int, theirs: int) -> list[int]:
    """Return, for each of `own` blocks, the index of the block at its depth among `theirs`.

    Examples:
        >>> matched_depths(3, 6)
        [1, 3, 5]
    """
    return [(block * theirs - 1) // own for block in range(1, own + 1)]


def unit_kernel(features: Tensor) -> Tensor:
    """Return the centered, normalized linear kernel (B, B) of features (B, …).

    The inner product of two such kernels is the linear CKA of Kornblith et al., ICML 2019,
    equation 3, with the unbiased HSIC of Song et al., JMLR 2012, equation 5. The kernel is zero
    for fewer than four images, or if all features are equal.

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
    # Unbiased centering: without the diagonal, subtract row and column means, add the total.
    kernel = (rows @ rows.T).fill_diagonal_(0)
    sums = kernel.sum(dim=1)
    kernel = kernel - (sums[:, None] + sums) / (images - 2)
    kernel = (kernel + sums.sum() / ((images - 1) * (images - 2))).fill_diagonal_(0)
    return F.normalize(kernel.flatten(), dim=0).reshape(images, images)


def _kernel(_given: Tensor, output: Tensor) -> Tensor:
    return unit_kernel(output.detach())


KERNELS = Watch(blocks, _kernel)
