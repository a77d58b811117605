"""The semantic term of DisWOT's random search: of weights, so without information."""

from torch import Tensor
from torch.nn import functional as F

from diswot.activations import Activations
from diswot.probe import Probe
from diswot.scorers._card import Card
from diswot.scorers._registry import register


@register(
    Card(
        "fc_weights",
        "likeness of the classifiers' random weights, a control",
        "DisWOT, released random search",
    )
)
def fc_weights(student: Probe, teacher: Activations) -> Tensor:
    """Return −Σ(M_T − M_S)²/(C·N), M of the classifier's weights in place of their gradients.

    M holds for each class k the outer product w_k w_kᵀ with rows of length one; the sum
    is −(2/N) Σ_k (1 − a_k cos_k) as in `semantic_grad`, and so are unequal widths dealt
    with. Weights are drawn alike whatever comes before the classifier, so the score
    says nothing of the network.
    """
    width = min(student.features.shape[1], teacher.features.shape[1])
    ours, reference = _weights(student, width), teacher.once(_weights, width)
    agreement = (ours.sign() * reference.sign()).mean(dim=1)
    return -2 * (1 - agreement * F.cosine_similarity(ours, reference, dim=1)).mean()


def _weights(shown: Activations, width: int) -> Tensor:
    weights = shown.classifier_weight
    return weights if weights.shape[1] == width else F.adaptive_avg_pool1d(weights, width)
