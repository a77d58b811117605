"""The semantic term of the snippet in DisWOT's README."""

import torch
from torch import Tensor
from torch.nn import functional as F

from diswot.errors import DataError
from diswot.networks import Activations
from diswot.scorers._card import Card
from diswot.scorers._class_vectors import class_similarity
from diswot.scorers._registry import register


@register(
    Card(
        "semantic_grad",
        "agreement with the gradient of the teacher's classifier, class by class",
        "DisWOT, README snippet",
        needs_labels=True,
        reads=("logits", "features"),
    )
)
def semantic_grad(student: Activations, teacher: Activations) -> Tensor:
    """Return −Σ(M_T − M_S)²/(C·N), where M are row-normalized outer products of gradients.

    Source: the snippet in DisWOT's README. g (N, C) is the gradient of the mean cross-entropy
    with respect to the classifier's weight; for each class k, M is the C×C matrix g_k g_kᵀ
    with rows of length one. The gradient is computed in closed form, without a backward pass.
    """
    return class_similarity(class_gradients(student), teacher.once(class_gradients))


def class_gradients(activations: Activations) -> Tensor:
    """Return the classifier's gradient ∂CE/∂W = (softmax(z) − onehot(y))ᵀ f / B: (N, C).

    Args:
        activations: logits z (B, N), features f (B, C) and labels y (B,).

    Raises:
        DataError: the batch has no labels.
    """
    if activations.labels is None:
        raise DataError("semantic_grad needs the labels of the batch, but got none")
    error = torch.softmax(activations.output, dim=1) - F.one_hot(
        activations.labels, activations.output.shape[1]
    )
    return error.T @ activations.features / len(activations.labels)
