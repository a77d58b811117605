"""The similarity of two networks' class vectors, as in DisWOT's released code."""

from torch import Tensor
from torch.nn import functional as F

from diswot.networks.taps import common_shape, pooled


def class_similarity(student: Tensor, teacher: Tensor) -> Tensor:
    """Return −Σ(M_T − M_S)²/(C·N) of row-normalized outer products of class vectors.

    M holds for each class k the C×C matrix v_k v_kᵀ with rows of length one. The sum
    equals −(2/N) Σ_k (1 − a_k cos_k), where cos_k is the cosine of the two vectors of
    class k and a_k the mean product of their signs, which is what is computed, without
    the matrices.

    Deviation: the released code needs equal widths C. Where they differ, the vectors of
    the wider network are average-pooled to the smaller width.

    Args:
        student: the vector of each of N classes, (N, C).
        teacher: class vectors of the teacher, (N, C'), whose width may differ.
    """
    width = common_shape(student.shape[1:], teacher.shape[1:])
    student, teacher = pooled(student, width), pooled(teacher, width)
    agreement = (student.sign() * teacher.sign()).mean(dim=1)
    return -2 * (1 - agreement * F.cosine_similarity(student, teacher, dim=1)).mean()
