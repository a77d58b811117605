"""Read queries, keys and values of self-attentions in transformers that name them so."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

from torch import Tensor, nn
from torch.nn import functional as F

from diswot.errors import NetworkError
from diswot.networks import Watch, named
from diswot.networks.output import first_tensor

PARTS = ("query", "key", "value")
"""Names of an attention's linear layers in BERT-like models."""

_HEADS = ("heads", "num_attention_heads", "num_heads", "n_heads")


@dataclass(frozen=True, eq=False)
class Attention:
    """Queries, keys and values of a self-attention for a batch.

    Attributes:
        query: queries of all heads (B, L, H·d).
        key: keys of all heads (B, L, H·d).
        value: values of all heads (B, L, H·d).
        heads: H, the number of heads.
    """

    query: Tensor
    key: Tensor
    value: Tensor
    heads: int

    def relations(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return queries, keys and values."""
        return self.query, self.key, self.value

    def weights(self, mask: Tensor) -> Tensor:
        """Return the attention weights (B, H, L, L) over tokens at which mask (B, L) is true."""
        query, key = (split_heads(item, self.heads) for item in (self.query, self.key))
        scores: Tensor = query @ key.mT * query.shape[-1] ** -0.5
        return scores.masked_fill(~mask[:, None, None], -1e9).softmax(dim=-1)


def split_heads(channels: Tensor, heads: int) -> Tensor:
    """Reshape channels (B, L, H·d) to heads (B, H, L, d)."""
    return channels.reshape(*channels.shape[:-1], heads, -1).transpose(1, 2)


def attentions(network: nn.Module) -> list[nn.Module]:
    """Return the self-attentions of a network, in the order of its modules.

    A self-attention is a module with linear layers `query`, `key` and `value`, and a number of
    heads.
    """
    return [module for module in network.modules() if _is_attention(module)]


def last_attention(network: nn.Module) -> list[nn.Module]:
    """Return the last self-attention of a network in a list, which is empty without any."""
    return attentions(network)[-1:]


def check_attention(network: nn.Module, who: str = "") -> nn.Module:
    """Return the last self-attention of a network.

    Args:
        network: the network.
        who: name of the network in messages; by default its class.

    Raises:
        NetworkError: it has no self-attention that can be read.
    """
    attention = last_attention(network)
    if not attention:
        raise NetworkError(
            f"{who or named(network)} exposes no self-attention (a module with nn.Linear layers "
            "query, key and value, and a number of heads): use a transformer encoder such as BERT"
        )
    return attention[0]


def _is_attention(module: nn.Module) -> bool:
    layers = all(isinstance(getattr(module, part, None), nn.Linear) for part in PARTS)
    return layers and any(isinstance(getattr(module, name, None), int) for name in _HEADS)


def attention_of(module: nn.Module, given: Tensor, _output: Any = None) -> Attention:
    """Return queries, keys and values of a self-attention for its input (B, L, hidden).

    They are computed again with functional calls, which do not trigger hooks of the layers.
    """
    layers = (cast(nn.Linear, getattr(module, part)) for part in PARTS)
    query, key, value = (F.linear(given, layer.weight, layer.bias) for layer in layers)
    heads = next(each for name in _HEADS if isinstance(each := getattr(module, name, None), int))
    return Attention(query, key, value, heads)


LAST_ATTENTION: Watch[Attention] = Watch(last_attention, attention_of, of_module=True)
"""Queries, keys and values of the last layer."""

EVERY_ATTENTION: Watch[Attention] = Watch(attentions, attention_of, of_module=True)
"""Queries, keys and values of every layer."""


@contextmanager
def reading_last(network: nn.Module) -> Iterator[list[Attention]]:
    """Yield a list to which every forward pass appends the last self-attention's values.

    Raises:
        NetworkError: the network has no self-attention that can be read.
    """
    kept: list[Attention] = []

    def keep(module: nn.Module, args: Any, kwargs: Any, _output: Any) -> None:
        given = first_tensor((*args, *kwargs.values()))
        if given is not None:
            kept.append(attention_of(module, given))

    handle = check_attention(network).register_forward_hook(keep, with_kwargs=True)
    try:
        yield kept
    finally:
        handle.remove()
