"""Text encoders and their space: masks, costs, sub-spaces of AutoDistil, and errors."""

import numpy as np
import pytest
import torch

from diswot.networks.costs import measure_costs
from diswot.testing import check_space
from search_spaces import Signature, TensorSpec, TextEncoder, TextEncoderSpace

SIGNATURE = Signature(
    (
        TensorSpec("input_ids", (12,), "int64", high=50),
        TensorSpec("attention_mask", (12,), "bool"),
    ),
    5,
)
SMALL = TextEncoderSpace(layers=(1, 2), hidden=(6, 8), heads=(1, 3), ratios=(1.5, 2), head_size=4)


def encoder() -> TextEncoder:
    torch.manual_seed(0)
    return TextEncoder(
        vocabulary=50, length=12, outputs=5, layers=2, hidden=8, heads=2, head_size=4, ratio=2
    ).eval()


def test_the_space_follows_the_contract() -> None:
    check_space(SMALL, signature=SIGNATURE)


def test_the_default_space_follows_the_contract() -> None:
    check_space(TextEncoderSpace(), signature=SIGNATURE, draws=5)


def test_padding_does_not_change_the_output() -> None:
    network, tokens = encoder(), torch.randint(50, (3, 7))
    longer = torch.cat([tokens, torch.randint(50, (3, 5))], dim=1)
    mask = torch.arange(12).expand(3, -1) < 7
    with torch.no_grad():
        short = network(tokens, torch.ones(3, 7, dtype=torch.bool))
        assert torch.allclose(network(longer, mask), short, atol=1e-6)
        assert torch.allclose(network(longer, mask.long()), short, atol=1e-6)
        assert not torch.allclose(network(longer, torch.ones_like(mask)), short, atol=1e-3)


def test_outputs_of_layers_are_zero_at_padding() -> None:
    network, outputs = encoder(), []
    for module in (*network.layers, network.norm):
        module.register_forward_hook(lambda _module, _given, output: outputs.append(output))
        with torch.no_grad():
            for parameter in module.parameters():
                parameter.add_(0.1)
    tokens = torch.randint(50, (2, 12))
    network(tokens, torch.arange(12).expand(2, -1) < 5)
    assert len(outputs) == 3
    assert all((output[:, 5:] == 0).all() and (output[:, :5] != 0).any() for output in outputs)


def test_a_text_without_tokens_has_an_output() -> None:
    found = encoder()(torch.zeros(1, 12).long(), torch.zeros(1, 12).bool())
    assert found.isfinite().all()


def test_costs_are_counted_on_real_tensors() -> None:
    arch = SMALL.from_string("layers=2,hidden=8,heads=3,ratio=1.5")
    costs = measure_costs(lambda: SMALL.network(arch, SIGNATURE), SIGNATURE, memory=True)
    attention, feed_forward = 4 * 8 * 12, 2 * 8 * 12
    norms = 2 * 8 * 2 + 8
    biases = 2 * (3 * 12 + 8 + 12 + 8) + norms
    weights = 2 * (attention + feed_forward) + 50 * 8 + 12 * 8 + 8 * 5 + 5
    assert costs.params == weights + biases + norms
    products = 2 * 12 * 12 * 12
    assert costs.macs == 2 * (12 * (attention + feed_forward) + products) + 8 * 5


@pytest.mark.parametrize(
    ("size", "text", "millions"),
    [
        ("base", "layers=12,hidden=544,heads=9,ratio=3.0", 53.3),
        ("small", "layers=11,hidden=352,heads=8,ratio=4.0", 29.8),
        ("small", "layers=11,hidden=352,heads=10,ratio=4.0", 31.8),
        ("tiny", "layers=7,hidden=160,heads=10,ratio=3.5", 9.1),
    ],
)
def test_sub_spaces_match_the_paper(size: str, text: str, millions: float) -> None:
    """Students of the paper have the size that its code gives them with heads of 64 channels."""
    space = TextEncoderSpace.autodistil(size)
    assert space.size == 256
    signature = Signature(
        (
            TensorSpec("input_ids", (512,), "int64", high=30_522),
            TensorSpec("attention_mask", (512,), "bool"),
        ),
        2,
    )
    with torch.device("meta"):
        network = space.network(space.from_string(text), signature)
    found = sum(each.numel() for each in network.parameters()) / 1e6
    assert found == pytest.approx(millions, rel=0.01)


def test_scaled_sub_spaces_have_as_many_encoders() -> None:
    space = TextEncoderSpace.autodistil("tiny", scale=8)
    assert list(space) == list(TextEncoderSpace())
    assert space.head_size == TextEncoderSpace().head_size == 8


@pytest.mark.parametrize(("size", "scale"), [("large", 1), ("tiny", 5), ("tiny", 0)])
def test_other_sub_spaces_are_refused(size: str, scale: int) -> None:
    with pytest.raises(ValueError, match=f"but got {size!r}|but got {scale}"):
        TextEncoderSpace.autodistil(size, scale=scale)


@pytest.mark.parametrize(
    "options", [{"layers": (0, 1)}, {"hidden": (1,), "ratios": (0.5,)}, {"head_size": 0}]
)
def test_invalid_options_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        TextEncoderSpace(**options)  # type: ignore[arg-type]


def test_other_inputs_are_refused() -> None:
    arch = SMALL.sample(np.random.default_rng(0))
    with pytest.raises(ValueError, match="images 3×32×32: these networks take tokens"):
        SMALL.network(arch, Signature((TensorSpec("images", (3, 32, 32)),), 7))
    with pytest.raises(ValueError, match="call network"):
        SMALL.build(arch, 7)


def test_a_longer_text_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 12 tokens, but got 13"):
        encoder()(torch.zeros(1, 13).long(), torch.ones(1, 13).bool())
