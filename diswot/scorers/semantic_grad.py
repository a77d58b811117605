"""The semantic term of the snippet in DisWOT's README."""

import torch
from torch import Tensor
from torch.nn import functional as F

from diswot.activations import Activations
from diswot.errors import DataError
from diswot.scorers._card import Card
from diswot.scorers._registry import register


@register(
    Card(
        "semantic_grad",
        "likeness of the classifier's gradient, class by class",
        "DisWOT, README snippet",
        needs_labels=True,
    )
)
def semantic_grad(student: Activations, teacher: Activations) -> Tensor:
    """Return −Σ(M_T − M_S)²/(C·N) of row-normalised outer products of class gradients.

    The snippet takes the gradient g of the mean cross-entropy with respect to the
    classifier's weight (N×C), and for each class k the C×C matrix g_k g_kᵀ with rows
    of length one. That equals −(2/N) Σ_k (1 − a_k cos_k), where cos_k is the cosine
    of the two gradients of class k and a_k the mean product of their signs, which is
    what is computed, without the matrices and without a backward pass.

    Deviation: the snippet needs equal widths C. Where they differ, the gradients of
    the wider network are average-pooled to the smaller width.
    """
    width = min(student.features.shape[1], teacher.features.shape[1])
    ours = class_gradients(student, width)
    reference = teacher.once(class_gradients, width)
    cosine = F.cosine_similarity(ours, reference, dim=1)
    agreement = (ours.sign() * reference.sign()).mean(dim=1)
    return -2 * (1 - agreement * cosine).mean()


def class_gradients(shown: Activations, width: int) -> Tensor:
    """Return ∂CE/∂W = (softmax(z) − onehot(y))ᵀ f / B of the classifier, shape (N, width).

    Raises:
        DataError: the batch has no labels.
    """
    if shown.labels is None:
        raise DataError("semantic_grad needs the labels of the batch, but got none")
    error = torch.softmax(shown.logits, dim=1) - F.one_hot(shown.labels, shown.num_classes)
    gradients = error.T @ shown.features / len(shown.labels)
    if gradients.shape[1] == width:
        return gradients
    return F.adaptive_avg_pool1d(gradients, width)
