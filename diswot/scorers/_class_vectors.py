"""Similarity of two classifiers' class vectors, as in DisWOT's released code."""

from torch import Tensor
from torch.nn import functional as F

from diswot.networks.taps import common_shape, pooled


def class_similarity(student: Tensor, teacher: Tensor) -> Tensor:
    """Return −Σ(M_T − M_S)²/(C·N) for row-normalized outer products M of class vectors.

    For each class k, M is the C×C matrix v_k v_kᵀ with rows of length one. The sum equals
    −(2/N) Σ_k (1 − a_k cos_k), where cos_k is the cosine of the two vectors of class k and a_k
    the mean product of their signs; this form is computed, without the matrices.

    Deviation: the released code requires equal widths C. If they differ, the vectors of the
    wider network are average-pooled to the smaller width.

    Args:
        student: class vectors of the student, (N, C) for N classes.
        teacher: class vectors of the teacher, (N, C'), of any width.

    Returns:
        A scalar ≤ 0; 0 for equal vectors.
    """
    width = common_shape(student.shape[1:], teacher.shape[1:])
    student, teacher = pooled(student, width), pooled(teacher, width)
    agreement = (student.sign() * teacher.sign()).mean(dim=1)
    return -2 * (1 - agreement * F.cosine_similarity(student, teacher, dim=1)).mean()
