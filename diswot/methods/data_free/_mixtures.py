"""Networks of tokens that also take mixtures of tokens."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from diswot.errors import NetworkError


def token_embedding(network: nn.Module, vocabulary: int) -> nn.Embedding:
    """Return the embedding of a network's token ids: the first with enough entries.

    Args:
        network: the network.
        vocabulary: number of token ids.

    Raises:
        NetworkError: it has no such embedding.
    """
    for module in network.modules():
        if isinstance(module, nn.Embedding) and module.num_embeddings >= vocabulary:
            return module
    raise NetworkError(
        f"{type(network).__name__} has no embedding of {vocabulary} tokens (nn.Embedding), through "
        "which it could take pseudo-samples: use a network with one"
    )


@contextmanager
def taking_mixtures(network: nn.Module, vocabulary: int) -> Iterator[None]:
    """Let a network take mixtures of tokens in place of token ids, inside the block.

    A mixture (B, L, V) has a real weight for every token at every position; its embedding is the
    sum of the tokens' embeddings with these weights, so that gradients flow into the weights.
    Token ids (B, L) are taken as before. If the network needs ids for anything else than the
    embedding, it gets those with the highest weights.

    Args:
        network: a network whose first input are token ids.
        vocabulary: number of token ids V.

    Raises:
        NetworkError: it has no embedding of the tokens.

    Examples:
        >>> import torch
        >>> network = nn.Sequential(nn.Embedding(3, 2))
        >>> ids = torch.tensor([[2, 0]])
        >>> with taking_mixtures(network, 3):
        ...     same = network(torch.nn.functional.one_hot(ids, 3).float())
        >>> torch.equal(same, network(ids))
        True
    """
    current: list[Tensor] = []
    embedding = token_embedding(network, vocabulary)

    def before(_module: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...] | None:
        current.clear()
        if not inputs[0].is_floating_point():
            return None
        current.append(inputs[0])
        return inputs[0].argmax(-1), *inputs[1:]

    def embedded(module: nn.Module, _inputs: Any, _output: Tensor) -> Tensor | None:
        if not current:
            return None
        weight: Tensor = module.get_parameter("weight")
        return current[0].to(weight.dtype) @ weight[:vocabulary]

    handles = [
        network.register_forward_pre_hook(before),
        embedding.register_forward_hook(embedded),
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
