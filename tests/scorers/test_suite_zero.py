"""Scorers of NAS-Bench-Suite-Zero, each against a direct transcription of its equation."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from diswot.errors import DataError, NetworkError
from diswot.networks import ActivationReader
from diswot.networks.costs import Costs
from diswot.networks.probe import Probe
from diswot.scorers import find_scorer
from search_spaces import CifarResNet
from tests.scorers.probes import (
    CLASSES,
    IMAGES,
    NETWORKS,
    batch,
    cell,
    layers,
    probe_of,
    read_together,
    resnet,
    score,
    transformer,
)

OF_WEIGHT_GRADIENTS = ("fisher", "grad_norm", "plain", "snip")
OF_INPUT_GRADIENTS = ("epe_nas", "jacov")
OF_COPIES = ("synflow", "zen")
NAMES = (*OF_WEIGHT_GRADIENTS, *OF_INPUT_GRADIENTS, *OF_COPIES, "grasp", "l2_norm", "nwot")


each_network = pytest.mark.parametrize("build", NETWORKS.values(), ids=NETWORKS)


def trained_once(network: nn.Module) -> list[Any]:
    """Return the weight layers that the loss depends on, with gradients in `.weight.grad`."""
    images, labels = batch()
    torch.autograd.backward(F.cross_entropy(network.train()(images), labels))
    return [layer for layer in layers(network) if layer.weight.grad is not None]


@each_network
def test_scores_that_sum_over_weights_equal_their_equations(build: Callable[[], nn.Module]) -> None:
    expected = dict.fromkeys(("grad_norm", "plain", "snip", "l2_norm"), 0.0)
    for layer in layers(build()):
        expected["l2_norm"] += math.sqrt((layer.weight.detach().double().numpy() ** 2).sum())
    for layer in trained_once(build()):
        weight = layer.weight.detach().double().numpy().ravel()
        gradient = layer.weight.grad.double().numpy().ravel()
        expected["grad_norm"] += math.sqrt((gradient**2).sum())
        expected["plain"] += (weight * gradient).sum()
        expected["snip"] += np.abs(weight * gradient).sum()
    for name, value in expected.items():
        assert score(name, build()) == pytest.approx(value, rel=1e-4, abs=1e-6)


@each_network
def test_fisher_is_the_sum_over_the_weights_of_each_channel(
    build: Callable[[], nn.Module],
) -> None:
    network, kept = build(), []
    for layer in layers(network):
        layer.register_forward_hook(lambda module, _, y: kept.append((module, y)))
        layer.register_forward_hook(lambda _module, _, y: y.retain_grad())
    reached = trained_once(network)
    expected = 0.0
    for layer, output in kept:
        if layer not in reached:
            continue
        a, g = output.detach().double().numpy(), output.grad.double().numpy()
        if a.ndim == 4:  # channels last, as they are in the outputs of linear layers
            a, g = np.moveaxis(a, 1, -1), np.moveaxis(g, 1, -1)
        for channel, weights in enumerate(layer.weight):
            of_images = [(a[b, ..., channel] * g[b, ..., channel]).sum() for b in range(IMAGES)]
            expected += weights.numel() * np.mean(np.square(of_images)) / 2
    assert score("fisher", build()) == pytest.approx(expected, rel=1e-4)


@each_network
def test_grasp_is_the_change_of_the_gradient_along_itself(build: Callable[[], nn.Module]) -> None:
    images, labels = batch()
    examples = images.double(), labels
    network = build().double().train()
    weights = [layer.weight for layer in layers(network)]
    start = [weight.detach().clone() for weight in weights]

    def gradients() -> Sequence[Tensor]:
        return torch.autograd.grad(
            F.cross_entropy(network(examples[0]), labels), weights, materialize_grads=True
        )

    along = gradients()
    step = 1e-8 / math.sqrt(sum(float(g.square().sum()) for g in along))
    ahead_and_behind = []
    for sign in (1, -1):
        with torch.no_grad():
            for weight, origin, g in zip(weights, start, along, strict=True):
                weight.copy_(origin + sign * step * g)
        ahead_and_behind.append(gradients())
    expected = 0.0
    for w, ahead, behind in zip(start, *ahead_and_behind, strict=True):
        expected -= float((w * (ahead - behind) / (2 * step)).sum())
    assert score("grasp", build().double(), examples) == pytest.approx(expected, rel=1e-3)


def input_gradients(network: nn.Module, images: Tensor) -> NDArray[np.float64]:
    images = images.clone().requires_grad_()
    total = network.train()(images).sum()
    gradient: Tensor = torch.autograd.grad(total, images)[0]
    return gradient.flatten(1).double().numpy()


@each_network
def test_jacov_equals_the_equation_of_the_paper(build: Callable[[], nn.Module]) -> None:
    v = np.linalg.eig(np.corrcoef(input_gradients(build(), batch()[0])))[0].real
    expected = -sum(math.log(x + 1e-5) + 1 / (x + 1e-5) for x in v)
    assert score("jacov", build()) == pytest.approx(expected, rel=1e-3)


def class_sums(
    rows: NDArray[np.float64], labels: Tensor, *, mean: bool
) -> tuple[list[float], list[int]]:
    sums, sizes = [], []
    for label in sorted(set(labels.tolist())):
        members = rows[labels.numpy() == label]
        correlations = np.atleast_2d(np.corrcoef(members))
        total = np.log(np.abs(correlations) + 1e-5).sum()
        sums.append(total / len(members) if mean else total)
        sizes.append(len(members))
    return sums, sizes


@each_network
def test_epe_nas_sums_over_the_classes(build: Callable[[], nn.Module]) -> None:
    images, labels = batch()
    sums, sizes = class_sums(input_gradients(build(), images), labels, mean=False)
    assert 1 in sizes
    assert max(sizes) > 2
    assert score("epe_nas", build()) == pytest.approx(sum(map(abs, sums)), rel=1e-3)


def test_epe_nas_compares_pairs_of_classes_if_there_are_many() -> None:
    def build() -> nn.Module:
        torch.manual_seed(0)
        return CifarResNet((1, 1, 1), num_classes=101, widths=(4, 4, 8, 16))

    images, labels = batch()
    sums, _ = class_sums(input_gradients(build(), images), labels, mean=True)
    expected = sum(abs(a - b) for a in sums for b in sums) / len(sums)
    assert score("epe_nas", build()) == pytest.approx(expected, rel=1e-3)


def without_normalization(network: nn.Module) -> nn.Module:
    for parent in list(network.modules()):
        for name, child in parent.named_children():
            if isinstance(child, nn.BatchNorm2d | nn.LayerNorm):
                setattr(parent, name, nn.Identity())
    return network


@each_network
def test_synflow_is_the_logarithm_of_the_flow(build: Callable[[], nn.Module]) -> None:
    network = without_normalization(build()).double().train()
    for parameter in network.parameters():
        parameter.data = parameter.data.abs()
    network(torch.ones(1, 3, 16, 16, dtype=torch.double)).sum().backward()
    flow = 0.0
    for layer in layers(network):
        if layer.weight.grad is not None:
            flow += float((layer.weight.detach() * layer.weight.grad).sum())
    assert score("synflow", build()) == pytest.approx(math.log(flow), rel=1e-6)


@pytest.mark.parametrize(
    "build",
    [NETWORKS["resnet"], cell, lambda: without_normalization(resnet(1))],
    ids=["resnet", "cell", "without normalization"],
)
def test_zen_equals_the_released_code(build: Callable[[], nn.Module]) -> None:
    network, student = build().train(), probe_of(build(), batch(), "zen")
    generator = student.generator("zen")
    for layer in layers(network):
        layer.weight.data = torch.randn(layer.weight.shape, generator=generator)
        if layer.bias is not None:
            layer.bias.data.zero_()
    x, noise = (torch.randn(IMAGES, 3, 16, 16, generator=generator) for _ in range(2))
    maps: list[Tensor] = []
    pool = next(m for m in network.modules() if isinstance(m, nn.AdaptiveAvgPool2d))
    pool.register_forward_hook(lambda _module, inputs, _: maps.append(inputs[0].detach()))
    network(x)
    network(x + 0.01 * noise)
    expected = math.log(float((maps[0] - maps[1]).abs().sum()) / IMAGES)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            assert module.running_var is not None
            expected += math.log(math.sqrt(float(module.running_var.mean())))
    assert find_scorer("zen")(student, student)["zen"] == pytest.approx(expected, rel=1e-4)


class Counted:
    """Counts the forward passes of a network and the gradients of its outputs."""

    def __init__(self, network: nn.Module, monkeypatch: pytest.MonkeyPatch) -> None:
        self.forward = self.backward = 0
        grad = torch.autograd.grad

        def counted(*args: Any, **kwargs: Any) -> Any:
            self.backward += 1
            return grad(*args, **kwargs)

        def ran(module: nn.Module, _inputs: Any) -> None:
            self.forward += module is network  # a copy of it keeps this hook

        monkeypatch.setattr(torch.autograd, "grad", counted)
        network.register_forward_pre_hook(ran)


@pytest.mark.parametrize(
    ("names", "backward"),
    [
        (OF_WEIGHT_GRADIENTS, 1),
        (tuple(reversed(OF_WEIGHT_GRADIENTS)), 1),
        (OF_INPUT_GRADIENTS, 1),
        ((*OF_WEIGHT_GRADIENTS, *OF_INPUT_GRADIENTS), 2),
        (("grasp",), 2),
        (("l2_norm", "nwot"), 0),
    ],
)
def test_scorers_share_forward_and_backward_passes(
    names: Sequence[str], backward: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = resnet(1)
    counted = Counted(network, monkeypatch)
    read_together(network, names)
    assert counted.forward == (names != ("l2_norm",))
    assert counted.backward == backward


def test_scores_of_weights_need_no_forward_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    network = resnet(1)
    counted = Counted(network, monkeypatch)
    read_together(network, ["l2_norm", "zen", "synflow"])
    assert counted.forward == 0


def test_a_score_does_not_change_the_network_for_the_others() -> None:
    network = resnet(1)
    before = {name: tensor.clone() for name, tensor in network.named_parameters()}
    modes = [module.training for module in network.train().modules()]
    chance = torch.random.get_rng_state()
    forwards = read_together(network, NAMES)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.named_parameters())
    assert modes == [module.training for module in network.modules()]
    assert torch.equal(chance, torch.random.get_rng_state())
    assert all(parameter.grad is None for parameter in network.parameters())
    assert read_together(resnet(1), NAMES[::-1]) == pytest.approx(forwards, rel=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_scores_alone_and_together_are_equal(name: str) -> None:
    together = read_together(resnet(1), NAMES)[name]
    assert score(name, resnet(1)) == pytest.approx(together, rel=1e-6)


@pytest.mark.parametrize("name", [*OF_WEIGHT_GRADIENTS, "grasp", "epe_nas"])
def test_scores_that_need_labels_are_refused_without_them(name: str) -> None:
    card = find_scorer(name).card
    assert card.needs_labels
    student = Probe(
        resnet(1),
        batch()[0],
        costs=Costs(0, 0),
        seed=0,
        watches=find_scorer(name).watches,
        differentiable=True,
    )
    with pytest.raises(DataError, match="labels"):
        find_scorer(name)(student, student)


class Deaf(nn.Module):
    """A network whose output does not depend on the images."""

    def __init__(self, *, normalized: bool) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, bias=False)
        self.norm: nn.Module = nn.BatchNorm2d(4) if normalized else nn.Identity()
        self.pool = nn.AdaptiveAvgPool2d(2)
        self.classifier = nn.Linear(4, CLASSES, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        maps: Tensor = self.pool(self.norm(self.conv(x)) * 0)
        logits: Tensor = self.classifier(maps.mean(dim=(2, 3)))
        return logits


@pytest.mark.parametrize("name", ["jacov", "epe_nas", "synflow", "zen"])
def test_an_undefined_score_is_a_one_line_error(name: str) -> None:
    with pytest.raises(NetworkError) as caught:
        score(name, Deaf(normalized=True))
    assert "\n" not in str(caught.value)
    assert "use another scorer" in str(caught.value)


def test_zen_is_finite_for_tokens() -> None:
    assert math.isfinite(score("zen", transformer()))


def test_synflow_reports_an_overflow() -> None:
    network = resnet(1)
    with torch.no_grad():
        for layer in layers(network):
            layer.weight.fill_(1e37)
    with pytest.raises(NetworkError, match="too deep"):
        score("synflow", network)


def test_a_probe_stores_outputs_only_on_request() -> None:
    student = probe_of(resnet(1), batch(), "snip")
    assert student.output_gradients == []
    asked = probe_of(resnet(1), batch(), "fisher")
    assert len(asked.output_gradients) == len(layers(asked.network))
    with ActivationReader(asked.network) as read:
        assert not read.forward(batch()[0]).watched
