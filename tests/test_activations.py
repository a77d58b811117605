"""Reading networks by hooks, without changing them."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from diswot.activations import ActivationReader, Watch, scoring_mode, trial_pass
from diswot.errors import NetworkError
from search_spaces import CifarResNet


class Functional(nn.Module):
    """Pools and flattens by functions, and returns a dictionary."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3)
        self.drop = nn.Dropout(0.5)
        self.head = nn.Linear(6, 4)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        x = F.relu_(self.conv(x))
        return {"logits": self.head(self.drop(F.adaptive_avg_pool2d(x, 1).flatten(1)))}


def test_what_is_shown_is_what_the_network_computes() -> None:
    network = CifarResNet((1, 1, 1), num_classes=5).eval()
    images = torch.randn(2, 3, 16, 16)
    with torch.no_grad(), ActivationReader(network) as read:
        shown = read(images)
    torch.testing.assert_close(shown.logits, network(images))
    torch.testing.assert_close(shown.features, shown.feature_map.mean(dim=(2, 3)))
    torch.testing.assert_close(
        shown.logits, shown.features @ shown.classifier_weight.T + network.classifier.bias
    )


def test_a_network_of_functions_that_returns_a_dictionary_is_read() -> None:
    network = Functional().eval()
    with torch.no_grad(), ActivationReader(network) as read:
        shown = read(torch.randn(3, 3, 8, 8))
    assert shown.feature_map.shape == (3, 6, 6, 6)
    assert shown.num_classes == 4
    torch.testing.assert_close(shown.features, shown.feature_map.mean(dim=(2, 3)))


def test_hooks_are_gone_afterwards_and_modes_restored() -> None:
    network = Functional().eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with scoring_mode(network), ActivationReader(network) as read:
        assert network.training
        assert not network.drop.training
        read(torch.randn(2, 3, 8, 8))
    assert not any(module.training for module in network.modules())
    assert not any(module._forward_hooks for module in network.modules())
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


def test_gradients_flow_through_what_is_shown() -> None:
    network = Functional()
    with ActivationReader(network) as read:
        read(torch.randn(2, 3, 8, 8)).feature_map.sum().backward()  # type: ignore[no-untyped-call]
    assert network.conv.weight.grad is not None


def test_the_input_of_a_module_that_works_in_place_is_read_before_it() -> None:
    network = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(64, 2)
    )
    before = Watch(lambda _: [network[1]], lambda given, _: given.clone(), before=True)
    images = torch.randn(2, 3, 6, 6, generator=torch.Generator().manual_seed(0))
    with ActivationReader(network, watches=[before]) as read:
        (kept,) = read(images).watched(before)
    assert kept.equal(network[0](images))
    kept.sum().backward()  # type: ignore[no-untyped-call]
    assert network[0].weight.grad is not None


def test_a_network_without_linear_layer_is_refused() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    with pytest.raises(NetworkError, match=r"no nn\.Linear"):
        trial_pass(network, torch.zeros(2, 3, 8, 8), num_classes=4, who="it")


def test_a_network_without_feature_map_is_refused() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(48, 4))
    with pytest.raises(NetworkError, match="no feature map"):
        trial_pass(network, torch.zeros(2, 3, 4, 4), num_classes=4, who="it")


def test_other_classes_or_channels_are_refused_in_one_line() -> None:
    network = CifarResNet((1, 1, 1), num_classes=5)
    with pytest.raises(NetworkError, match="it has 5 classes, but the data has 10"):
        trial_pass(network, torch.zeros(2, 3, 8, 8), num_classes=10, who="it")
    with pytest.raises(NetworkError, match=r"it cannot take images of shape \(1, 8, 8\)") as caught:
        trial_pass(network, torch.zeros(2, 1, 8, 8), num_classes=5, who="it")
    assert "\n" not in str(caught.value)
