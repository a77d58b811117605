"""How far the untrained student orders images as the teacher does, at every depth."""

import torch
from torch import Tensor

from diswot.networks import Activations
from diswot.networks.probe import Probe
from diswot.scorers._card import Card
from diswot.scorers._registry import register
from diswot.scorers.aligned_blocks import KERNELS, block_alignments, image_alignments


@register(
    Card(
        "teacher_alignment",
        "mean CKA of the student's blocks with the teacher's at the same depth, or its images",
        "this project, with the CKA of Kornblith et al., ICML 2019, equation 3",
        teacher_state="trained",
        supports="networks of several blocks",
    ),
    watches=[KERNELS],
    teacher_watches=[KERNELS],
)
def teacher_alignment(student: Probe, teacher: Activations) -> Tensor:
    """Return ln(1 + max(A_T, A_0)), A_T = (1/L) Σ_l CKA_l with the teacher, A_0 with its images.

    CKA is linear, without bias, between the outputs of the blocks (`networks.layers.blocks`) on
    the images of the batch. For A_T block l of L is compared with block ⌈l·L_T / L⌉ of the
    teacher's L_T; for A_0 every block with the images, which are what the teacher is
    given: a student that keeps these apart can be led anywhere; it is 0 for texts, whose tokens
    are no quantities. Meant for a trained teacher.
    """
    with_teacher = block_alignments(student, teacher).mean()
    return torch.maximum(with_teacher, image_alignments(student).mean()).log1p()
