"""Confidence of attention heads: the largest output, or attention weight, of each head."""

import torch
from torch import Tensor

from diswot.networks import Activations
from diswot.networks.attention import EVERY_ATTENTION, Attention, split_heads
from diswot.networks.probe import Probe
from diswot.scorers._card import Card
from diswot.scorers._registry import register
from diswot.scorers._tokens import mask_of

_SOURCE = (
    "Serianni and Kalita, Training-free Neural Architecture Search for RNNs and Transformers, ACL "
    "2023, section 4, after Voita et al., ACL 2019"
)
_SUPPORTS = "transformers with query, key and value layers"


@register(
    Card(
        "attention_confidence",
        "largest output of an attention head, averaged over heads",
        _SOURCE,
        needs_teacher=False,
        supports=_SUPPORTS,
        reads=("tokens", "attention"),
    ),
    watches=[EVERY_ATTENTION],
)
def attention_confidence(student: Probe, _teacher: Activations) -> Tensor:
    """Return the mean over heads h of (1/N) Σ_n max Att_h(x_n), for texts n = 1, …, N.

    Source: Serianni and Kalita, ACL 2023, section 4, after Voita et al., ACL 2019. Att_h is the
    output of head h (the average of values by attention weights); the maximum is over tokens
    and channels of a text.
    """
    mask = mask_of(student)

    def largest(attention: Attention) -> Tensor:
        value = split_heads(attention.value, attention.heads)
        output: Tensor = attention.weights(mask) @ value
        return output.masked_fill(~mask[:, None, :, None], -torch.inf).flatten(2).amax(dim=-1)

    return _mean_over_heads([largest(item) for item in student.watched(EVERY_ATTENTION)])


@register(
    Card(
        "head_confidence",
        "largest attention weight of a head, averaged over heads",
        _SOURCE,
        needs_teacher=False,
        supports=_SUPPORTS,
        reads=("tokens", "attention"),
    ),
    watches=[EVERY_ATTENTION],
)
def head_confidence(student: Probe, _teacher: Activations) -> Tensor:
    """Return the mean over heads h of (1/N) Σ_n max σ_h(x_n), for texts n = 1, …, N; in (0, 1].

    Source: Serianni and Kalita, ACL 2023, section 4, after Voita et al., ACL 2019. σ_h are the
    attention weights of head h after the softmax; the maximum is over pairs of tokens.
    """
    mask = mask_of(student)
    pairs = (mask[:, None] & mask[:, :, None])[:, None]
    return _mean_over_heads(
        [
            item.weights(mask).masked_fill(~pairs, 0).flatten(2).amax(dim=-1)
            for item in student.watched(EVERY_ATTENTION)
        ]
    )


def _mean_over_heads(by_text: list[Tensor]) -> Tensor:
    """Average (B, heads) of every layer over the texts, then over the heads of all layers."""
    return torch.cat([item.mean(dim=0) for item in by_text]).mean()
