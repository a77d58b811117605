"""Self-attention relations between tokens in the last layer (MiniLMv2, AutoDistil)."""

from torch import Tensor

from diswot.errors import NetworkError
from diswot.networks.attention import Attention, split_heads
from diswot.networks.precision import at_least_single

_NEVER = -1e9


def attention_relation_loss(
    student: Attention,
    teacher: Attention,
    mask: Tensor,
    *,
    heads: int | None = None,
    after_softmax: bool = True,
    by_text: bool = False,
) -> Tensor:
    """Return the mean squared errors of the QQ, KK and VV relations, summed.

    A relation is R = softmax(A·Aᵀ/√d) for each relation head, where A are its queries, keys or
    values. The channels of all attention heads are concatenated and split again into relation
    heads, so that networks with different heads and widths can be compared without additional
    parameters; remaining channels (fewer than relation heads) are ignored. The means are over
    relation heads and pairs of tokens of a text, without padding.

    Source: AutoDistil (Xu et al., NeurIPS 2022), equation 4 with β = 1; without the softmax as
    in its released code. The relations are MiniLM's (Wang et al., NeurIPS 2020, section 3).

    Args:
        student: queries, keys and values of the student's last layer; gradients flow into them.
        teacher: queries, keys and values of the teacher's last layer; no gradient flows into
            them.
        mask: padding mask (B, L), true at tokens.
        heads: number of relation heads; by default the teacher's attention heads.
        after_softmax: whether relations are compared after the softmax, as in the paper, or
            before it.
        by_text: whether to return the loss of each text, (B,), in place of that of the batch, in
            which long texts weigh more.

    Returns:
        A scalar ≥ 0.

    Raises:
        NetworkError: there are more relation heads than channels.

    Examples:
        >>> import torch
        >>> one = Attention(*torch.randn(3, 2, 4, 8).unbind(), heads=2)
        >>> float(attention_relation_loss(one, one, torch.ones(2, 4, dtype=torch.bool)))
        0.0
    """
    count = teacher.heads if heads is None else heads
    pairs = (mask[:, None] & mask[:, :, None])[:, None]
    over = (1, 2, 3) if by_text else (0, 1, 2, 3)
    total = student.query.new_zeros((), dtype=at_least_single(student.query).dtype)
    for own, other in zip(student.relations(), teacher.relations(), strict=True):
        ours = relation(own, mask, heads=count, after_softmax=after_softmax)
        theirs = relation(other.detach(), mask, heads=count, after_softmax=after_softmax)
        squares = (ours - theirs).square().masked_fill(~pairs, 0)
        total = total + squares.sum(dim=over) / (pairs.sum(dim=over) * count)
    return total


def relation(channels: Tensor, mask: Tensor, *, heads: int, after_softmax: bool) -> Tensor:
    """Return the relations (B, heads, L, L) between tokens.

    Args:
        channels: queries, keys or values of all attention heads, concatenated, (B, L, C).
        mask: padding mask (B, L), true at tokens.
        heads: number of relation heads.
        after_softmax: whether the softmax over tokens is applied.

    Raises:
        NetworkError: there are more heads than channels.
    """
    size = channels.shape[-1] // heads
    if size < 1:
        raise NetworkError(
            f"{channels.shape[-1]} channels of queries, keys and values cannot be split into "
            f"{heads} relation heads: use fewer, or a wider student"
        )
    by_head = split_heads(at_least_single(channels[..., : size * heads]), heads)
    scores: Tensor = by_head @ by_head.mT * size**-0.5
    if not after_softmax:
        return scores
    return scores.masked_fill(~mask[:, None, None], _NEVER).softmax(dim=-1)
