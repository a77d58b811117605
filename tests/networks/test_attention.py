"""Queries, keys and values read from transformers."""

import pytest
import torch
from torch import nn

from diswot.errors import NetworkError
from diswot.networks import ActivationReader
from diswot.networks.attention import (
    EVERY_ATTENTION,
    LAST_ATTENTION,
    check_attention,
    reading_last,
)
from search_spaces import CifarResNet, TextEncoder

TOKENS = torch.tensor([[1, 7, 5, 2], [1, 4, 2, 0]])
MASK = TOKENS != 0


@pytest.fixture
def encoder() -> TextEncoder:
    torch.manual_seed(0)
    return TextEncoder(
        vocabulary=9, length=4, outputs=3, layers=2, hidden=8, heads=2, head_size=3, ratio=2
    )


def test_the_read_attention_equals_the_last_layer(encoder: TextEncoder) -> None:
    kept: list[torch.Tensor] = []
    layer = encoder.get_submodule("layers.1.attention.key")
    layer.register_forward_hook(lambda _m, _i, output: kept.append(output))
    with reading_last(encoder) as read:
        encoder(TOKENS, MASK)
    torch.testing.assert_close(read[0].key, kept[0])
    assert read[0].heads == 2
    assert len(kept) == 1  # reading does not run a layer twice


def test_a_watch_reads_every_layer(encoder: TextEncoder) -> None:
    with ActivationReader(encoder, watches=[EVERY_ATTENTION, LAST_ATTENTION]) as read:
        activations = read(TOKENS, MASK)
        assert len(activations.watched(EVERY_ATTENTION)) == 2
        assert len(activations.watched(LAST_ATTENTION)) == 1


def test_attention_weights_are_a_distribution_over_the_text(encoder: TextEncoder) -> None:
    with reading_last(encoder) as read:
        encoder(TOKENS, MASK)
    weights = read[0].weights(MASK)
    assert weights.shape == (2, 2, 4, 4)
    torch.testing.assert_close(weights.sum(dim=-1), torch.ones(2, 2, 4))
    assert not weights[1, :, :, 3].any()


@pytest.mark.parametrize("network", [CifarResNet((1, 1, 1), num_classes=2), nn.Linear(2, 2)])
def test_networks_without_attention_are_refused(network: nn.Module) -> None:
    with pytest.raises(NetworkError, match="exposes no self-attention"):
        check_attention(network, "the teacher")
