"""How far the untrained student orders images as the teacher does, at every depth."""

from torch import Tensor

from diswot.activations import Activations
from diswot.probe import Probe
from diswot.scorers._aligned_blocks import KERNELS, block_alignments
from diswot.scorers._card import Card
from diswot.scorers._registry import register


@register(
    Card(
        "teacher_alignment",
        "mean CKA of the student's blocks with the teacher's at the same depth",
        "this project, with the CKA of Kornblith et al., ICML 2019, equation 3",
        teacher_state="trained",
        supports="networks of several blocks",
    ),
    watches=[KERNELS],
    teacher_watches=[KERNELS],
)
def teacher_alignment(student: Probe, teacher: Activations) -> Tensor:
    """Return ln(1 + (1/L) Σ_l CKA_l), CKA_l between block l and the teacher's at its depth.

    CKA is linear, without bias, between the outputs of the blocks of `diswot.layers.blocks`
    on the images of the batch; block l of L is compared with block ⌈l·L_T / L⌉ of the
    teacher's L_T. Meant for a trained teacher.
    """
    return block_alignments(student, teacher).mean().log1p()
