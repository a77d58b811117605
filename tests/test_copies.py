"""Copies of networks that store more than weights."""

import threading
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations, spectral_norm, weight_norm

from diswot.errors import NetworkError
from diswot.networks.copies import copied


class Keeping(nn.Module):
    """Stores activations in every kind of attribute that a module may have."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.fc = nn.Conv2d(1, 4, 3), nn.Linear(4, 3)
        self.list: list[Tensor] = []
        self.nested: dict[str, Any] = {}

    def forward(self, x: Tensor) -> Tensor:
        self.features = self.conv(x)
        self.list = [self.features, self.features.relu()]
        self.nested = {"maps": (self.features, [self.features.mean((2, 3))])}
        logits: Tensor = self.fc(self.features.mean((2, 3)))
        return logits


IMAGES = torch.rand(2, 1, 8, 8, generator=torch.Generator().manual_seed(0))


def test_a_network_that_stores_activations_is_copied() -> None:
    network = Keeping()
    expected = network(IMAGES)
    found = copied(network)
    assert found.features.equal(network.features)
    assert found.features.grad_fn is None
    assert found.list[0] is found.features
    assert found.nested["maps"][0] is found.features
    assert network.features.grad_fn is not None
    assert found(IMAGES).equal(expected)
    found(IMAGES).sum().backward()
    assert found.conv.weight.grad is not None
    assert network.conv.weight.grad is None


@pytest.mark.parametrize("normalized", [weight_norm, spectral_norm, parametrizations.weight_norm])
def test_a_reparametrized_layer_is_copied(normalized: Any) -> None:
    network = nn.Sequential(normalized(nn.Conv2d(1, 4, 3)), nn.Flatten(), nn.Linear(144, 3)).eval()
    expected = network(IMAGES)
    found = copied(network)
    assert found(IMAGES).equal(expected)
    with torch.no_grad():
        for parameter in found.parameters():
            parameter.mul_(2)
    assert network(IMAGES).equal(expected)
    assert not found(IMAGES).equal(expected)


def test_a_network_that_cannot_be_copied_is_a_one_line_error() -> None:
    network = nn.Linear(2, 2)
    network.lock = threading.Lock()  # type: ignore[assignment]
    with pytest.raises(NetworkError, match=r"cannot be copied \(TypeError: .*lock") as caught:
        copied(network)
    assert "\n" not in str(caught.value)
