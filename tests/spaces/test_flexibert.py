"""The space of FlexiBERT: its names and the outputs of its layers."""

import math

import numpy as np
import pytest
import torch

from search_spaces import FlexiBERTArchitecture, FlexiBERTSpace, FlexiLayer, Signature, TensorSpec
from search_spaces._mixers import FlexibleAttention, LinearTransform, SpanConvolution

TEXTS = Signature(
    (TensorSpec("input_ids", (6,), "int64", high=20), TensorSpec("attention_mask", (6,), "bool")),
    3,
)
TOKENS = torch.tensor([[1, 7, 5, 9, 11, 2], [1, 4, 2, 0, 0, 0]])
MASK = TOKENS != 0


@pytest.mark.parametrize("operation", ["SA-SDP", "SA-WMA", "LT-DFT", "LT-DCT", "DSC-5", "DSC-9"])
def test_padding_does_not_change_the_output(operation: str) -> None:
    space = FlexiBERTSpace()
    arch = space.from_string(f"128:{operation}-2-512-1,SA-SDP-4-512-3")
    torch.manual_seed(0)
    network = space.network(arch, TEXTS).eval()
    other = TOKENS.masked_fill(~MASK, 13)
    with torch.no_grad():
        torch.testing.assert_close(network(TOKENS, MASK), network(other, MASK))


def test_names_are_read_back() -> None:
    space, rng = FlexiBERTSpace(), np.random.default_rng(0)
    arch = space.sample(rng)
    for _ in range(50):
        arch = space.crossover(space.mutate(arch, rng), space.sample(rng), rng)
        assert space.from_string(space.to_string(arch)) == arch


def test_a_row_of_the_table_is_read() -> None:
    layer = {
        "operation_type": "DSC",
        "operation_parameter": 9,
        "num_operation_heads": 2,
        "feed_forward_dimension": 512,
        "num_feed_forward": 3,
    }
    found = FlexiBERTSpace().from_record({"hidden_size": 256, "encoder_layers": [layer, layer]})
    assert found == FlexiBERTArchitecture(256, (FlexiLayer("DSC", "9", 2, 512, 3),) * 2)


@pytest.mark.parametrize(
    "text", ["", "128", "128:", "100:SA-SDP-4-512-3", "128:SA-DFT-4-512-3,SA-SDP-4-512-3", "x:y"]
)
def test_other_names_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="Expected an encoder such as"):
        FlexiBERTSpace().from_string(text)


def test_the_fourier_layer_equals_torch_fft() -> None:
    mixer = LinearTransform(8, 2, cosine=False)
    torch.nn.init.eye_(mixer.output.weight)
    torch.nn.init.zeros_(mixer.output.bias)
    tokens = torch.randn(3, 5, 8)
    by_head = tokens.reshape(3, 5, 2, 4).transpose(1, 2)
    expected = torch.fft.fft2(by_head).real.transpose(1, 2).flatten(2) / math.sqrt(20)
    found = mixer(tokens, torch.ones(3, 5, dtype=torch.bool))
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_weighted_attention_starts_as_plain_attention() -> None:
    torch.manual_seed(0)
    weighted = FlexibleAttention(8, 2, weighted=True)
    plain = FlexibleAttention(8, 2, weighted=False)
    plain.load_state_dict(weighted.state_dict(), strict=False)
    tokens, mask = torch.randn(2, 6, 8), MASK
    torch.testing.assert_close(weighted(tokens, mask), plain(tokens, mask))


def test_a_convolution_is_a_weighted_mean_over_its_span() -> None:
    torch.manual_seed(0)
    mixer = SpanConvolution(4, 2, 5)
    tokens, mask = torch.randn(1, 7, 4), torch.ones(1, 7, dtype=torch.bool)
    with torch.no_grad():
        value = mixer.value(tokens)[0]
        span = mixer.pointwise(mixer.depthwise(tokens.mT)).mT
        kernels = mixer.weights(span * mixer.query(tokens))[0].reshape(7, 2, 5).softmax(dim=-1)
        mixed = torch.zeros(7, 4)
        for place in range(7):
            for head in range(2):
                for step in range(5):
                    if 0 <= (other := place + step - 2) < 7:
                        part = slice(2 * head, 2 * head + 2)
                        mixed[place, part] += kernels[place, head, step] * value[other, part]
        torch.testing.assert_close(mixer(tokens, mask)[0], mixer.output(mixed))
