"""Gated convolutional networks: equations, padding, statistics and errors."""

from typing import Any

import pytest
import torch
from torch.nn import functional as F

from diswot.testing import check_space
from search_spaces import GatedConvolutionNetwork, GatedConvolutionSpace
from search_spaces._gated_convolution import AdaptiveFusion, GatedConvolution, MaskedBatchNorm
from tests.signatures import TEXTS


def network_of(**changes: int) -> GatedConvolutionNetwork:
    torch.manual_seed(0)
    sizes: dict[str, Any] = {"vocabulary": 50, "outputs": 5, "width": 6, "slots": 3, "depth": 2}
    return GatedConvolutionNetwork(**(sizes | changes), kernels=(3, 5)).eval()


def test_the_space_follows_the_contract() -> None:
    check_space(GatedConvolutionSpace(), signature=TEXTS, draws=3)


def test_padding_does_not_change_the_output() -> None:
    network, tokens = network_of(), torch.randint(50, (3, 7))
    longer = torch.cat([tokens, torch.randint(50, (3, 5))], dim=1)
    mask = torch.arange(12).expand(3, -1) < 7
    with torch.no_grad():
        short = network(tokens, torch.ones(3, 7, dtype=torch.bool))
        torch.testing.assert_close(network(longer, mask), short)
        assert not torch.allclose(network(longer, torch.ones_like(mask)), short, atol=1e-4)


def test_a_gated_convolution_is_the_sum_of_its_equation() -> None:
    torch.manual_seed(0)
    block, x = GatedConvolution(4, (1, 3)).eval(), torch.randn(2, 4, 6, 1)
    total = torch.zeros_like(x)
    for branch in block.branches:
        weight, bias = branch.get_parameter("weight"), branch.get_parameter("bias")
        pad = (weight.shape[2] // 2, 0)
        value = F.conv2d(x, weight[:4], bias[:4], padding=pad)
        gate = F.conv2d(x, weight[4:], bias[4:], padding=pad)
        total = total + value / (1 + torch.exp(-gate))
    expected = torch.clamp(x + total / (1 + block.norm.eps) ** 0.5, min=0)
    torch.testing.assert_close(block(x, torch.ones(2, 1, 6, 1)), expected)


def test_adaptive_fusion_is_its_equations_token_by_token() -> None:
    torch.manual_seed(0)
    fusion, h = AdaptiveFusion(4, 3), torch.randn(4, 5)
    mask = torch.tensor([1.0, 1, 1, 0, 0])
    h = h * mask
    found = fusion(h[None, :, :, None], mask.view(1, 1, 5, 1))[0, :, :, 0]
    layers = dict(fusion.named_children())
    weights = {name: layer.get_parameter("weight")[:, :, 0, 0] for name, layer in layers.items()}
    biases = {name: layers[name].get_parameter("bias") for name in ("query", "gate")}
    mean_of_tokens = h[:, :3].mean(1)
    for token in range(3):
        own = h[:, token]
        given = torch.cat([own, own.mean()[None], mean_of_tokens])
        query = weights["query"] @ given + biases["query"]
        shares = (weights["keys"] @ query).softmax(0)  # softmax(Q M_kᵀ)
        answer = weights["values"] @ shares
        gate = (weights["gate"] @ torch.cat([own, answer]) + biases["gate"]).sigmoid()
        torch.testing.assert_close(found[:, token], gate * answer + (1 - gate) * own)
    assert (found[:, 3:] == 0).all()


def test_normalization_uses_tokens_alone() -> None:
    torch.manual_seed(0)
    norm, plain = MaskedBatchNorm(3), torch.nn.BatchNorm1d(3)
    maps, mask = 2 + 3 * torch.randn(4, 3, 6, 1), (torch.arange(6) < 4).float().view(1, 1, 6, 1)
    found = norm(maps, mask.expand(4, -1, -1, -1))
    expected = plain(maps[:, :, :4, 0])
    torch.testing.assert_close(found[:, :, :4, 0], expected)
    assert (found[:, :, 4:] == 0).all()
    torch.testing.assert_close(norm.running_mean, plain.running_mean)
    torch.testing.assert_close(norm.running_var, plain.running_var)
    maps, whole = maps[:, :, :4], mask[:, :, :4].expand(4, -1, -1, -1)
    torch.testing.assert_close(norm.eval()(maps, whole)[..., 0], plain.eval()(maps[..., 0]))


def test_without_slots_and_gates_parts_are_left_out() -> None:
    assert not [m for m in network_of(slots=0).modules() if isinstance(m, AdaptiveFusion)]
    fusion = AdaptiveFusion(4, 3, gated=False)
    assert fusion.gate is None
    fusion.values.weight.data.zero_()
    maps = torch.randn(1, 4, 5, 1)
    torch.testing.assert_close(fusion(maps, torch.ones(1, 1, 5, 1)), maps)


@pytest.mark.parametrize(
    ("changes", "message"), [({"width": 0}, "of at least 1"), ({"slots": -1}, "of at least 0")]
)
def test_sizes_that_are_too_small_are_refused(changes: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        network_of(**changes)
    with pytest.raises(ValueError, match="odd kernel sizes"):
        GatedConvolutionNetwork(vocabulary=9, outputs=2, width=4, kernels=(2,), slots=0, depth=1)
