"""The semantic term of DisWOT's random search: of weights, so without information."""

from torch import Tensor

from diswot.networks import Activations
from diswot.networks.probe import Probe
from diswot.scorers._card import Card
from diswot.scorers._class_vectors import class_similarity
from diswot.scorers._registry import register


@register(
    Card(
        "fc_weights",
        "similarity of the classifiers' random weights, a control",
        "DisWOT, released random search",
        reads=("classifier weights",),
    )
)
def fc_weights(student: Probe, teacher: Activations) -> Tensor:
    """Return −Σ(M_T − M_S)²/(C·N), M of the classifier's weights in place of their gradients.

    See `diswot.scorers._class_vectors`. Weights are drawn the same whatever comes before the
    classifier, so the score says nothing of the network.
    """
    return class_similarity(student.classifier_weight, teacher.classifier_weight)
