"""Activations are read by hooks without changing the network."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from diswot.errors import ForwardError, NetworkError
from diswot.networks import ActivationReader, Activations, Watch, scoring_mode, trial_pass
from diswot.networks.output import output_of
from search_spaces import CifarResNet


class Functional(nn.Module):
    """Uses functions for pooling and flattening, and returns a dictionary."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3)
        self.drop = nn.Dropout(0.5)
        self.head = nn.Linear(6, 4)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        x = F.relu_(self.conv(x))
        return {"logits": self.head(self.drop(F.adaptive_avg_pool2d(x, 1).flatten(1)))}


def seen(network: nn.Module, images: Tensor) -> Activations:
    """Return the activations of a network for images."""
    with ActivationReader(network) as read:
        return read(images)


def test_activations_equal_the_outputs_of_the_modules() -> None:
    network = CifarResNet((1, 1, 1), num_classes=5).eval()
    images = torch.randn(2, 3, 16, 16)
    with torch.no_grad(), ActivationReader(network) as read:
        activations = read(images)
    torch.testing.assert_close(activations.output, network(images))
    torch.testing.assert_close(activations.features, activations.feature_map.mean(dim=(2, 3)))
    torch.testing.assert_close(
        activations.output,
        activations.features @ activations.classifier_weight.T + network.classifier.bias,
    )


def test_a_functional_network_that_returns_a_dict_is_read() -> None:
    network = Functional().eval()
    with torch.no_grad(), ActivationReader(network) as read:
        activations = read(torch.randn(3, 3, 8, 8))
    assert activations.feature_map.shape == (3, 6, 6, 6)
    torch.testing.assert_close(activations.features, activations.feature_map.mean(dim=(2, 3)))


def test_hooks_are_removed_and_training_modes_restored() -> None:
    network = Functional().eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with scoring_mode(network), ActivationReader(network) as read:
        assert network.training
        assert not network.drop.training
        read(torch.randn(2, 3, 8, 8))
    assert not any(module.training for module in network.modules())
    assert not any(module._forward_hooks for module in network.modules())
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


def test_gradients_flow_through_activations() -> None:
    network = Functional()
    with ActivationReader(network) as read:
        read(torch.randn(2, 3, 8, 8)).feature_map.sum().backward()  # type: ignore[no-untyped-call]
    assert network.conv.weight.grad is not None


def test_the_input_of_an_in_place_module_is_read_unchanged() -> None:
    network = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(64, 2)
    )
    before = Watch(lambda _: [network[1]], lambda given, _: given.clone(), before=True)
    images = torch.randn(2, 3, 6, 6, generator=torch.Generator().manual_seed(0))
    with ActivationReader(network, watches=[before]) as read:
        (kept,) = read(images).watched(before)
    assert kept.equal(network[0](images))
    kept.sum().backward()
    assert network[0].weight.grad is not None


def test_a_network_without_linear_layer_has_no_features() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    trial_pass(network, torch.zeros(2, 3, 8, 8), outputs=4, who="it", training=True)
    activations = seen(network, torch.ones(2, 3, 8, 8))
    assert activations.output.equal(network(torch.ones(2, 3, 8, 8)))
    assert activations.feature_map.shape == (2, 4, 6, 6)
    with pytest.raises(NetworkError, match=r"Sequential does not return the output .*it runs none"):
        _ = activations.features


def test_a_network_without_feature_map_is_refused() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(48, 4))
    with pytest.raises(NetworkError, match="no feature map"):
        trial_pass(network, torch.zeros(2, 3, 4, 4), outputs=4, who="it")


def test_wrong_classes_or_channels_are_one_line_errors() -> None:
    network = CifarResNet((1, 1, 1), num_classes=5)
    with pytest.raises(NetworkError, match="it has 5 outputs, but the data has 10"):
        trial_pass(network, torch.zeros(2, 3, 8, 8), outputs=10, who="it")
    with pytest.raises(NetworkError, match=r"it cannot take inputs of shape \(1, 8, 8\)") as caught:
        trial_pass(network, torch.zeros(2, 1, 8, 8), outputs=5, who="it")
    assert "\n" not in str(caught.value)


class Headed(nn.Module):
    """A convolution and two heads; `returned` computes the output from both."""

    def __init__(self, returned: Callable[[Tensor, Tensor], Any]) -> None:
        super().__init__()
        self.conv, self.main, self.aux = nn.Conv2d(3, 6, 3), nn.Linear(6, 4), nn.Linear(6, 4)
        self.returned = returned

    def forward(self, x: Tensor) -> Any:
        features = self.conv(x).mean((2, 3))
        return self.returned(self.main(features), self.aux(features))


IMAGES = torch.randn(3, 3, 8, 8, generator=torch.Generator().manual_seed(0))

OF_ONE_LAYER: dict[str, Callable[[Tensor, Tensor], Any]] = {
    "auxiliary head later": lambda main, _aux: main,
    "tuple": lambda main, aux: (main, aux),
    "dictionary": lambda main, aux: {"aux": aux, "logits": main},
    "namespace": lambda main, _aux: SimpleNamespace(logits=main),
    "view": lambda main, _aux: main[:, None].squeeze(1),
    "other precision": lambda main, _aux: main.double(),
}
OF_SEVERAL: dict[str, Callable[[Tensor, Tensor], Any]] = {
    "mean": lambda main, aux: (main + aux) / 2,
    "log of softmax": lambda main, _aux: main.log_softmax(dim=1),
    "scaled": lambda main, _aux: main * 3,
    "scaled in place": lambda main, _aux: main.mul_(3),
    "part": lambda main, aux: torch.cat([main, aux], dim=1)[:, 2:6],
}


@pytest.mark.parametrize("kind", OF_ONE_LAYER)
@pytest.mark.parametrize("gradients", [True, False])
def test_the_classifier_is_the_layer_whose_output_is_returned(kind: str, gradients: bool) -> None:
    network = Headed(OF_ONE_LAYER[kind])
    with torch.set_grad_enabled(gradients):
        activations = seen(network, IMAGES)
    assert activations.output.equal(output_of(network(IMAGES)))
    assert activations.classifier_weight.equal(network.main.weight)
    torch.testing.assert_close(activations.features, network.conv(IMAGES).mean((2, 3)))


@pytest.mark.parametrize("kind", OF_SEVERAL)
def test_other_outputs_have_no_classifier(kind: str) -> None:
    network = Headed(OF_SEVERAL[kind])
    activations = seen(network, IMAGES)
    assert activations.output.equal(network(IMAGES))
    assert activations.feature_map.equal(network.conv(IMAGES))
    for read in ("features", "classifier_weight"):
        with pytest.raises(NetworkError, match=r"Headed does not return the output .*is 'aux'"):
            getattr(activations, read)


@pytest.mark.parametrize("head", [nn.Conv2d(6, 4, 1), nn.Conv2d(6, 4, 2)])
def test_a_convolution_over_its_whole_input_is_a_classifier(head: nn.Conv2d) -> None:
    pool = nn.AdaptiveAvgPool2d(head.kernel_size)
    network = nn.Sequential(nn.Conv2d(3, 6, 3), pool, head, nn.Flatten())
    activations = seen(network, IMAGES)
    assert head.bias is not None
    torch.testing.assert_close(
        activations.features @ activations.classifier_weight.T + head.bias, network(IMAGES)
    )


def test_a_convolution_with_later_pooling_is_not_a_classifier() -> None:
    pooled = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    with pytest.raises(NetworkError, match="no classifier"):
        _ = seen(pooled, IMAGES).features


@pytest.mark.slow
@pytest.mark.parametrize("wrap", [nn.DataParallel, lambda net: torch.compile(net, backend="eager")])
def test_a_wrapped_network_is_read_like_the_original(
    wrap: Callable[[nn.Module], nn.Module],
) -> None:
    network = Headed(OF_ONE_LAYER["dictionary"])
    activations, expected = seen(wrap(network), IMAGES), seen(network, IMAGES)
    assert activations.output.equal(expected.output)
    assert activations.features.equal(expected.features)


@pytest.mark.parametrize(
    ("network", "shape"),
    [
        (nn.Conv2d(3, 4, 3), r"\(2, 4, 6, 6\)"),
        (nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(0)), r"\(288,\)"),
    ],
)
def test_an_output_of_another_rank_is_refused(network: nn.Module, shape: str) -> None:
    with pytest.raises(
        NetworkError, match=f"^it returns an output of shape {shape} for 2 examples"
    ):
        trial_pass(network, torch.zeros(2, 3, 8, 8), outputs=4, who="it")


class Differing(Headed):
    """Returns both heads as one in training mode."""

    def forward(self, x: Tensor) -> Any:
        features = self.conv(x).mean((2, 3))
        logits = self.main(features)
        return torch.cat([logits, self.aux(features)], dim=1) if self.training else logits


def test_another_shape_in_training_mode_is_refused() -> None:
    network = Differing(OF_ONE_LAYER["tuple"])
    expected = r"it returns an output of shape \(3, 8\) in training mode, but of \(3, 4\) in eval"
    trial_pass(network, IMAGES, outputs=4, who="it")
    with pytest.raises(NetworkError, match=expected):
        trial_pass(network, IMAGES, outputs=4, who="it", training=True)


def test_a_trial_pass_does_not_change_the_network() -> None:
    network = nn.Sequential(
        nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.Dropout(), nn.Flatten(), nn.Linear(216, 4)
    )
    before = {name: value.clone() for name, value in network.state_dict().items()}
    generator = torch.get_rng_state()
    trial_pass(network, IMAGES, outputs=4, who="it", training=True)
    assert torch.get_rng_state().equal(generator)
    assert all(value.equal(before[name]) for name, value in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_the_trial_pass_detects_a_failing_backward_pass(device: str) -> None:
    network = nn.Sequential(
        nn.Conv2d(3, 6, 3),
        nn.ReLU(inplace=True),
        nn.Dropout(0.2, inplace=True),
        nn.Flatten(),
        nn.Linear(216, 4),
    ).to(device)
    images = torch.zeros(2, 3, 8, 8, device=device)
    with pytest.raises(NetworkError, match=r"^it raised RuntimeError in its backward") as caught:
        trial_pass(network, images, outputs=4, who="it", training=True)
    assert "\n" not in str(caught.value)


def test_an_exception_of_the_network_is_a_one_line_error() -> None:
    network = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.BatchNorm2d(3), nn.Flatten()).train()
    expected = "Sequential raised ValueError in training mode, for 1 inputs of shape"
    with pytest.raises(ForwardError, match=expected) as caught:
        seen(network, torch.zeros(1, 3, 8, 8))
    assert isinstance(caught.value.__cause__, ValueError)


def test_an_exception_of_a_watch_is_raised_unchanged() -> None:
    def broken(_given: Tensor, _output: Tensor) -> None:
        raise ValueError("of the watch")

    network = Headed(OF_ONE_LAYER["tuple"])
    watch = Watch(lambda net: [net], broken)
    reader = ActivationReader(network, watches=[watch])
    with reader as read, pytest.raises(ValueError, match="of the watch"):
        read(IMAGES)
