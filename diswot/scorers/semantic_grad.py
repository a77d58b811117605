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
        "similarity of the classifier's gradient, class by class",
        "DisWOT, README snippet",
        needs_labels=True,
        reads=("logits", "features"),
    )
)
def semantic_grad(student: Activations, teacher: Activations) -> Tensor:
    """Return −Σ(M_T − M_S)²/(C·N) of row-normalized outer products of class gradients.

    The snippet takes the gradient g of the mean cross-entropy with respect to the
    classifier's weight (N×C), and for each class k the C×C matrix g_k g_kᵀ with rows
    of length one; see `diswot.scorers._class_vectors`. The gradient is computed without
    a backward pass.
    """
    return class_similarity(class_gradients(student), teacher.once(class_gradients))


def class_gradients(activations: Activations) -> Tensor:
    """Return ∂CE/∂W = (softmax(z) − onehot(y))ᵀ f / B of the classifier, shape (N, C).

    Raises:
        DataError: the batch has no labels.
    """
    if activations.labels is None:
        raise DataError("semantic_grad needs the labels of the batch, but got none")
    error = torch.softmax(activations.output, dim=1) - F.one_hot(
        activations.labels, activations.output.shape[1]
    )
    return error.T @ activations.features / len(activations.labels)
