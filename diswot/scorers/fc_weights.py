"""A control from DisWOT's released random search: similarity of random classifier weights."""

from torch import Tensor

from diswot.networks import Activations
from diswot.networks.probe import Probe
from diswot.scorers._card import Card
from diswot.scorers._class_vectors import class_similarity
from diswot.scorers._registry import register


@register(
    Card(
        "fc_weights",
        "similarity to the teacher's random classifier weights, a control",
        "DisWOT, released random search",
        reads=("classifier weights",),
    )
)
def fc_weights(student: Probe, teacher: Activations) -> Tensor:
    """Return −Σ(M_T − M_S)²/(C·N), where M are row-normalized outer products of class vectors.

    Source: DisWOT's released random search. The class vectors are the rows (N, C) of the
    classifier's randomly initialized weight, not of its gradient as in `semantic_grad`. They
    do not depend on the rest of the network, so the score carries no information about it.
    """
    return class_similarity(student.classifier_weight, teacher.classifier_weight)
