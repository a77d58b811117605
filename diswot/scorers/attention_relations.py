"""AutoDistil's self-attention relation loss as a score, after or before the softmax."""

from torch import Tensor

from diswot.losses.attention_relations import attention_relation_loss
from diswot.networks import Activations
from diswot.networks.attention import LAST_ATTENTION
from diswot.networks.probe import Probe
from diswot.scorers._card import Card
from diswot.scorers._registry import register
from diswot.scorers._tokens import mask_of

_SOURCE = "AutoDistil (Xu et al., NeurIPS 2022), equation 4, negated"
_SUPPORTS = "transformers with query, key and value layers"


@register(
    Card(
        "attention_relations",
        "similarity to the teacher's relations of queries, keys and values in the last layer",
        _SOURCE,
        teacher_state="trained",
        supports=_SUPPORTS,
        reads=("tokens", "attention"),
    ),
    watches=[LAST_ATTENTION],
    teacher_watches=[LAST_ATTENTION],
)
def attention_relations(student: Probe, teacher: Activations) -> Tensor:
    """Return the negated relation loss of the last attention layer, after the softmax; ≤ 0.

    Source: AutoDistil (Xu et al., NeurIPS 2022), equation 4. Relations are the scaled products
    of queries with queries, keys with keys and values with values, between tokens of a text.
    """
    return -_loss(student, teacher, after_softmax=True)


@register(
    Card(
        "attention_relations_raw",
        "attention_relations before the softmax, as in AutoDistil's released code",
        _SOURCE,
        teacher_state="trained",
        supports=_SUPPORTS,
        reads=("tokens", "attention"),
    ),
    watches=[LAST_ATTENTION],
    teacher_watches=[LAST_ATTENTION],
)
def attention_relations_raw(student: Probe, teacher: Activations) -> Tensor:
    """Return the negated relation loss of the last attention layer, before the softmax; ≤ 0.

    Source: AutoDistil (Xu et al., NeurIPS 2022), equation 4, in the form of its released code.
    """
    return -_loss(student, teacher, after_softmax=False)


def _loss(student: Probe, teacher: Activations, *, after_softmax: bool) -> Tensor:
    own, other = student.watched(LAST_ATTENTION)[-1], teacher.watched(LAST_ATTENTION)[-1]
    return attention_relation_loss(own, other, mask_of(student), after_softmax=after_softmax)
