"""Teacher alignment: CKA between untrained student and trained teacher, block by block."""

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
        "mean CKA of the student's blocks with teacher blocks at the same depth, or the images",
        "this project; CKA of Kornblith et al., ICML 2019, equation 3",
        teacher_state="trained",
        supports="networks of several blocks",
    ),
    watches=[KERNELS],
    teacher_watches=[KERNELS],
)
def teacher_alignment(student: Probe, teacher: Activations) -> Tensor:
    """Return ln(1 + max(A_T, A_0)): A_T is the mean CKA with the teacher, A_0 with the inputs.

    Source: this project, with the linear CKA of Kornblith et al., ICML 2019, equation 3, in its
    unbiased form, on the images of the batch. For A_T, block l of L (`networks.layers.blocks`)
    is compared with block ⌈l·L_T / L⌉ of the teacher's L_T blocks; for A_0, every block with
    the images: a student that preserves them can still be trained to follow the teacher. A_0
    is 0 for texts. Designed for a trained teacher.
    """
    with_teacher = block_alignments(student, teacher).mean()
    return torch.maximum(with_teacher, image_alignments(student).mean()).log1p()
