"""Newer scorers, each against a direct transcription of its equation."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.stats import kendalltau
from torch import Tensor, nn
from torch.nn import functional as F

from diswot.errors import DataError, NetworkError
from diswot.networks import ActivationReader
from diswot.networks.costs import Costs
from diswot.networks.layers import blocks, convolutions
from diswot.networks.probe import Probe
from diswot.scorers import find_scorer
from diswot.scorers._passes import EachImageAlone
from search_spaces import CifarResNet
from tests.scorers.probes import (
    CLASSES,
    IMAGES,
    NETWORKS,
    batch,
    calls,
    cell,
    dead,
    layers,
    probe_of,
    read_together,
    resnet,
    score,
    scored,
    transformer,
    without_normalization,
)

OF_THE_SHARED_PASS = ("meco", "swap", "swap_reg")
OF_A_PASS_OF_NOISE = ("az_expressivity", "az_progressivity", "az_trainability")
OF_PASSES_OF_THEIR_OWN = ("zico", "gradsign", "vkdnw")
WITHOUT_A_PASS = ("trainable_layers", "size_ln", "null")
NAMES = (*OF_THE_SHARED_PASS, *OF_A_PASS_OF_NOISE, *OF_PASSES_OF_THEIR_OWN, *WITHOUT_A_PASS)


each_network = pytest.mark.parametrize(
    "build",
    [*NETWORKS.values(), without_normalization],
    ids=[*NETWORKS, "without_normalization"],
)


def loss_gradients(network: nn.Module, images: Tensor, labels: Tensor) -> list[NDArray[Any]]:
    loss = F.cross_entropy(network.train()(images), labels)
    weights = [layer.weight for layer in layers(network)]
    return [gradient.double().numpy() for gradient in gradients_of(loss, weights)]


def gradients_of(value: Tensor, weights: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Return gradients; they are zero for weights that `value` does not depend on."""
    return torch.autograd.grad(value, weights, retain_graph=True, materialize_grads=True)


@each_network
def test_zico_is_mean_over_deviation_of_two_half_batches(build: Callable[[], nn.Module]) -> None:
    images, labels = batch()
    images, half = images.double(), IMAGES // 2
    first = loss_gradients(build().double(), images[:half], labels[:half])
    second = loss_gradients(build().double(), images[half:], labels[half:])
    expected = 0.0
    for one, other in zip(first, second, strict=True):
        both = np.stack([one.ravel(), other.ravel()])
        mean, deviation = np.abs(both).mean(axis=0), both.std(axis=0)
        ratios = [m / d for m, d in zip(mean, deviation, strict=True) if d > 0]
        expected += math.log(sum(ratios)) if ratios else 0
    assert score("zico", build().double(), (images, labels)) == pytest.approx(expected, rel=1e-4)


def test_zico_leaves_out_weights_with_zero_deviation() -> None:
    images, labels = batch()
    twice = torch.cat([images[:4], images[:4]]), torch.cat([labels[:4], labels[:4]])
    assert score("zico", resnet(1), twice) == 0


def test_zico_of_one_image_is_refused() -> None:
    images, labels = batch()
    with pytest.raises(DataError, match="at least 2 examples, but got 1"):
        score("zico", without_normalization(), (images[:1], labels[:1]))


@each_network
def test_gradsign_counts_agreeing_signs_per_image(build: Callable[[], nn.Module]) -> None:
    images, labels = batch()
    images, network = images.double(), build().double()
    signs = [
        [
            np.sign(gradient)
            for gradient in loss_gradients(network, images[i : i + 1], labels[i : i + 1])
        ]
        for i in range(IMAGES)
    ]
    expected = sum(np.abs(sum(layer)).sum() for layer in zip(*signs, strict=True))
    # The sign of a gradient near zero depends on the order in which it was summed.
    assert score("gradsign", build().double(), (images, labels)) == pytest.approx(
        expected, rel=2e-2
    )


@each_network
def test_meco_is_the_smallest_eigenvalue_of_correlations(build: Callable[[], nn.Module]) -> None:
    network, expected = build(), 0.0
    for _, output in calls(network, convolutions(network), batch()[0]):
        first = output[0].detach().double().numpy()
        rows = first.reshape(len(first), -1) if first.ndim == 3 else np.atleast_2d(first).T
        with np.errstate(invalid="ignore", divide="ignore"):
            correlation = (
                np.corrcoef(rows) if rows.shape[1] > 1 else np.full((len(rows),) * 2, np.nan)
            )
        correlation[~np.isfinite(correlation)] = 0
        expected += np.linalg.eigvals(correlation).real.min()
    assert score("meco", build()) == pytest.approx(expected, rel=1e-5, abs=1e-10)


def test_meco_of_a_constant_channel_is_zero() -> None:
    network = without_normalization()
    first, second = layers(network)[:2]
    first.weight.data[0] = 0
    second.weight.data[0] = 0
    assert score("meco", network) == pytest.approx(0, abs=1e-12)


def patterns(network: nn.Module, images: Tensor) -> int:
    functions = [m for m in network.modules() if isinstance(m, nn.ReLU | nn.GELU)]
    found = set()
    for _, output in calls(network, functions, images):
        found |= {tuple(unit) for unit in (output > 0).flatten(1).T.tolist()}
    return len(found)


@each_network
@pytest.mark.parametrize("size", [3, 12, 63, 64, 70, 130])
def test_swap_counts_distinct_activation_patterns(
    build: Callable[[], nn.Module], size: int
) -> None:
    images = torch.randn(size, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    labels = torch.zeros(size, dtype=torch.int64)
    assert score("swap", build(), (images, labels)) == patterns(build(), images)


@pytest.mark.parametrize("size", [64, 128])
def test_swap_distinguishes_patterns_that_differ_in_one_image(size: int) -> None:
    network = nn.Sequential(
        nn.ReLU(), nn.Identity(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(size, CLASSES)
    )
    images = torch.eye(size)[:, :, None, None].expand(size, size, 2, 2) - 0.5
    assert score("swap", network, (images, torch.zeros(size, dtype=torch.int64))) == size


def test_swap_reg_favors_the_target_size() -> None:
    network = resnet(1)
    for params in (100_000, 1_500_000, 3_000_000):
        student = Probe(
            network.train(),
            batch()[0],
            labels=batch()[1],
            costs=Costs(params, 0),
            seed=0,
            watches=find_scorer("swap+swap_reg").watches,
        )
        terms = find_scorer("swap+swap_reg")(student, student)
        factor = math.exp(-((params / 1000 - 1500) ** 2) / 1500**2)
        assert terms["swap_reg"] == pytest.approx(terms["swap"] * factor)


def rows(output: Tensor) -> NDArray[Any]:
    """Return the channels at each position or token of each image."""
    array = output.detach().double().numpy()
    if array.ndim == 4:
        array = array.transpose(0, 2, 3, 1)
    return array.reshape(-1, array.shape[-1])


def noise(network: nn.Module) -> Tensor:
    """Return the noise images that AZ-NAS feeds to `network`."""
    student = probe_of(network, batch(), "az_nas")
    return torch.randn(batch()[0].shape, generator=student.generator("noise blocks"))


def entropies(network: nn.Module) -> list[float]:
    found = []
    for _, output in calls(network, blocks(network), noise(network)):
        variances = np.linalg.eigvalsh(np.cov(rows(output), rowvar=False))
        shares = variances[variances > 0] / variances[variances > 0].sum()
        found.append(float(-(shares * np.log(shares)).sum()))
    return found


@each_network
def test_az_expressivity_is_the_entropy_of_principal_components(
    build: Callable[[], nn.Module],
) -> None:
    by_block = entropies(build())
    assert score("az_expressivity", build()) == pytest.approx(sum(by_block), rel=1e-4)


@each_network
def test_az_progressivity_is_the_smallest_gain_of_entropy(build: Callable[[], nn.Module]) -> None:
    gains = np.diff(entropies(build()))
    assert score("az_progressivity", build()) == pytest.approx(min(gains), rel=1e-4, abs=1e-5)


def jacobian_norm(given: Tensor, output: Tensor, signs: Tensor) -> float:
    """Return the norm of the mean of v uᵀ, with a loop over the positions."""
    (gradient,) = torch.autograd.grad(output, given, signs, retain_graph=True)
    v, u = signs.double().numpy(), gradient.double().numpy()
    if v.ndim == 3:
        v, u = v.transpose(0, 2, 1)[..., None], u.transpose(0, 2, 1)[..., None]
    if v.ndim == 2:
        v, u = v[..., None, None], u[..., None, None]
    stride, total = u.shape[2] // v.shape[2], np.zeros((v.shape[1], 1))
    for image in range(len(v)):
        for y in range(v.shape[2]):
            for x in range(v.shape[3]):
                patch = u[image, :, stride * y : stride * (y + 1), stride * x : stride * (x + 1)]
                total = total + np.outer(v[image, :, y, x], patch.ravel())
    positions = len(v) * v.shape[2] * v.shape[3]
    return float(np.linalg.svd(total / positions, compute_uv=False)[0])


@each_network
def test_az_trainability_estimates_the_norm_with_random_signs(
    build: Callable[[], nn.Module],
) -> None:
    network = build()
    generator = probe_of(network, batch(), "az_trainability").generator("az_trainability")
    norms = []
    for given, output in calls(network, blocks(network), noise(network))[1:]:
        bits = torch.empty(output.shape, dtype=torch.int8).random_(0, 2, generator=generator)
        norms.append(jacobian_norm(given, output, 2.0 * bits - 1))
    expected = np.mean([-norm - 1 / norm + 2 for norm in norms])
    assert score("az_trainability", build()) == pytest.approx(expected, rel=1e-4)


class Scaled(nn.Module):
    """A block that multiplies by `factor` and averages patches of `stride` pixels."""

    def __init__(self, factor: float, stride: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(4, 4, stride, stride, bias=False)
        nn.init.zeros_(self.convolution.weight)
        for channel in range(4):
            self.convolution.weight.data[channel, channel] = factor / stride**2

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.convolution(x)
        return output


@pytest.mark.parametrize(
    ("factor", "stride", "norm"),
    [(1, 1, 1), (3, 1, 3), (0.2, 1, 0.2), (1, 2, 1 / 2), (2, 4, 2 / 4)],
)
def test_az_trainability_is_exact_for_linear_blocks(
    factor: float, stride: int, norm: float
) -> None:
    network = nn.Sequential(
        nn.Sequential(nn.Conv2d(3, 4, 1)),
        Scaled(1, 1),
        Scaled(factor, stride),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(4, CLASSES),
    )
    images = torch.zeros(64, 3, 32, 32)
    found = score("az_trainability", network, (images, torch.zeros(64, dtype=torch.int64)))
    assert found == pytest.approx(-norm - 1 / norm + 2, abs=0.1)


def test_az_nas_is_the_sum_of_log_ranks() -> None:
    scorer = find_scorer("az_nas")
    assert str(scorer.formula) == "logrank(az_expressivity,az_progressivity,az_trainability,flops)"
    assert scorer.card.needs_gradients
    assert not scorer.card.needs_labels
    assert not scorer.card.needs_teacher
    terms = {name: np.array([1.0, 3.0, 2.0]) for name in scorer.terms}
    scores = scorer.formula.scores(terms, reference=3)
    assert scores == pytest.approx(4 * np.log(np.array([1, 3, 2]) / 3))


def test_vkdnw_agg_is_the_sum_of_log_ranks() -> None:
    formula = find_scorer("vkdnw_agg").formula
    assert str(formula) == "logrank(vkdnw,jacov,az_expressivity,az_trainability,flops)"


def fisher_information(network: nn.Module, images: Tensor) -> NDArray[Any]:
    """Return E_x E_{c ~ σ} ∇ln σ_c ∇ln σ_cᵀ for the first weight of every layer."""
    weights = [layer.weight for layer in layers(network)]
    total = np.zeros((len(weights), len(weights)))
    for image in images:
        logarithms = network.train()(image[None]).log_softmax(dim=1)[0]
        for logarithm in logarithms:
            gradients = gradients_of(logarithm, weights)
            first = np.array([float(gradient.flatten()[0]) for gradient in gradients])
            total += logarithm.exp().item() * np.outer(first, first)
    return total / len(images)


@each_network
def test_vkdnw_is_depth_plus_entropy_of_fisher_deciles(
    build: Callable[[], nn.Module],
) -> None:
    network = build()
    eigenvalues = np.linalg.eigvalsh(fisher_information(network, batch()[0]))
    deciles = np.percentile(eigenvalues, np.arange(10, 100, 10))
    shares = deciles / deciles.sum()
    expected = len(layers(network)) - (shares * np.log(shares)).sum()
    assert score("vkdnw", build()) == pytest.approx(expected, abs=2e-3)


def test_vkdnw_uses_only_sixteen_images() -> None:
    images, labels = batch()
    many = torch.cat([images, images, images]), torch.cat([labels, labels, labels])
    sixteen = many[0][:16], many[1][:16]
    assert score("vkdnw", resnet(1), many) == pytest.approx(score("vkdnw", resnet(1), sixteen))


def test_vkdnw_of_many_classes_estimates_the_mean_by_sampling() -> None:
    def network() -> nn.Module:
        torch.manual_seed(5)
        return CifarResNet((1, 1, 1), num_classes=30, widths=(4, 4, 8, 16))

    eigenvalues = np.linalg.eigvalsh(fisher_information(network(), batch()[0]))
    deciles = np.percentile(eigenvalues, np.arange(10, 100, 10))
    shares = deciles / deciles.sum()
    expected = len(layers(network())) - (shares * np.log(shares)).sum()
    assert score("vkdnw", network()) == pytest.approx(expected, abs=0.3)
    assert score("vkdnw", network()) == score("vkdnw", network())


def test_trainable_layers_counts_convolutions_and_linear_layers() -> None:
    # A stem, 2 convolutions in each of 9 blocks, 2 shortcuts, and the classifier.
    assert score("trainable_layers", CifarResNet((3, 3, 3), num_classes=CLASSES)) == 22


def test_size_ln_is_a_sum_over_convolutions() -> None:
    network = without_normalization()
    expected = math.log(5) * math.sqrt(5 * 3 * 9) + math.log(6) * math.sqrt(6 * 5 * 9)
    assert score("size_ln", network) == pytest.approx(expected)


def test_size_ln_of_a_transformer_has_its_linear_layers() -> None:
    network = transformer()
    expected = sum(
        math.log(len(layer.weight)) * math.sqrt(layer.weight.numel()) for layer in layers(network)
    )
    assert score("size_ln", network) == pytest.approx(expected)


@pytest.mark.slow
def test_size_ln_ranks_s0_as_published(shared_data: Path) -> None:
    table = np.genfromtxt(
        shared_data / "resnet-s0" / "accuracies.csv", delimiter=",", names=True, dtype=None
    )
    depths = [tuple(int(row[f"stage{i}_blocks"]) for i in (1, 2, 3)) for row in table]
    sizes = [score("size_ln", CifarResNet(depth, num_classes=100)) for depth in depths]
    assert kendalltau(sizes, table["kd_acc"]).statistic == pytest.approx(0.911, abs=0.005)


def test_null_is_random_with_its_own_generator() -> None:
    first, again, other = (score("null", resnet(1), seed=seed) for seed in (1, 1, 2))
    assert first == again != other
    assert 0 <= first < 1
    network = resnet(1)
    before = torch.get_rng_state()
    score("null", network)
    assert torch.equal(torch.get_rng_state(), before)


def test_fc_weights_equals_the_snippet_on_weights() -> None:
    def matrices(network: CifarResNet) -> Tensor:
        weight = network.classifier.weight.detach()
        return F.normalize(torch.einsum("nc,nd->ncd", weight, weight), dim=2)

    difference = matrices(resnet(2)) - matrices(resnet(1))
    expected = -difference.square().sum() / (difference.shape[1] * CLASSES)
    found = scored(resnet(1), resnet(2), batch(), "fc_weights")["fc_weights"]
    assert found == pytest.approx(float(expected), rel=1e-4)
    itself = scored(resnet(1), resnet(1), batch(), "fc_weights")["fc_weights"]
    assert itself == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("names", "passes"),
    [
        ((*OF_THE_SHARED_PASS, *WITHOUT_A_PASS, "jacov", "snip", "nwot"), 1),
        ((*OF_A_PASS_OF_NOISE, "az_nas"), 1),
        ((*OF_THE_SHARED_PASS, *OF_A_PASS_OF_NOISE, "jacov"), 2),
        (("zico",), 2),
        (("gradsign",), IMAGES),
        (WITHOUT_A_PASS, 0),
    ],
)
def test_scorers_share_forward_and_backward_passes(names: Sequence[str], passes: int) -> None:
    network, made = resnet(1), []
    network.register_forward_hook(lambda *_: made.append(1))
    terms = read_together(network, names)
    assert len(made) == passes
    alone = {name: score(name, resnet(1)) for name in terms if name not in ("flops", "swap_reg")}
    assert {name: terms[name] for name in alone} == pytest.approx(alone, rel=1e-5)


@pytest.mark.parametrize("name", NAMES)
@each_network
def test_scoring_does_not_change_the_network(name: str, build: Callable[[], nn.Module]) -> None:
    network = build().train().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    weights = [parameter.detach().clone() for parameter in network.parameters()]
    output = network(batch()[0]).detach()
    assert math.isfinite(score(name, network))
    assert all(map(torch.equal, weights, network.parameters()))
    assert torch.allclose(network(batch()[0]), output, atol=1e-4)
    assert all(parameter.grad is None for parameter in network.parameters())
    assert all(module.training for module in network.modules())
    assert not any(module._forward_hooks for module in network.modules())


@pytest.mark.parametrize("size", [1, 2, 5])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_per_image_gradients_equal_those_of_batches_of_one(
    size: int, layout: torch.memory_format
) -> None:
    generator = torch.Generator().manual_seed(0)
    images, at_output = torch.randn(2, size, 4, 5, 5, generator=generator)
    at_output = at_output.contiguous(memory_format=layout)
    normalize = nn.BatchNorm2d(4)
    nn.init.uniform_(normalize.weight, generator=generator)

    def gradients(together: bool) -> list[Tensor]:
        output = images.clone().contiguous(memory_format=layout).requires_grad_()
        if together:
            with EachImageAlone():
                output = normalize(output)
        else:
            output = torch.cat([normalize(image[None]) for image in output])
        wanted = [output, normalize.weight, normalize.bias]
        return [output, *torch.autograd.grad(output, wanted, at_output)]

    for found, expected in zip(gradients(True), gradients(False), strict=True):
        assert torch.allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("name", ["gradsign", "vkdnw"])
def test_single_images_do_not_change_running_statistics(name: str) -> None:
    network = resnet(1)
    statistics = [buffer for buffer in network.buffers() if buffer.is_floating_point()]
    before = [statistic.clone() for statistic in statistics]
    score(name, network)
    assert all(map(torch.equal, before, statistics))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("az_expressivity", "output of a block is constant"),
        ("az_progressivity", "output of a block is constant"),
        ("az_trainability", "does not depend on its input"),
        ("vkdnw", "does not depend on the weights"),
    ],
)
def test_a_network_with_only_zero_activations_is_refused(name: str, message: str) -> None:
    with pytest.raises(NetworkError, match=message):
        score(name, dead())


def test_a_network_of_zeros_scores_zero() -> None:
    assert score("gradsign", dead()) == score("zico", dead()) == 0


@pytest.mark.parametrize("name", ["az_progressivity", "az_trainability"])
def test_a_network_of_one_block_is_refused(name: str) -> None:
    network = nn.Sequential(
        nn.Sequential(nn.Conv2d(3, 4, 1)),
        Scaled(1, 1),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(4, CLASSES),
    )
    with pytest.raises(NetworkError, match="1 block"):
        score(name, network)


@pytest.mark.parametrize("name", ["gradsign", "vkdnw"])
def test_normalization_of_a_single_value_is_refused(name: str) -> None:
    network = nn.Sequential(
        nn.Conv2d(3, 4, 1),
        nn.AdaptiveAvgPool2d(1),
        nn.BatchNorm2d(4),
        nn.Flatten(),
        nn.Linear(4, CLASSES),
    )
    with pytest.raises(NetworkError, match="one value a channel"):
        score(name, network)


def test_frozen_normalization_stays_frozen() -> None:
    network = cell().train()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()
    student = Probe(
        network, batch()[0], labels=batch()[1], costs=Costs(1, 1), seed=0, differentiable=True
    )
    with ActivationReader(network) as read:
        whole = read(batch()[0]).output
    images, labels = batch()
    weights = [layer.weight for layer in layers(network)]
    signs = []
    for i in range(IMAGES):
        loss = F.cross_entropy(network(images[i : i + 1]), labels[i : i + 1])
        signs.append([g.sign() for g in gradients_of(loss, weights)])
    expected = sum(float(sum(layer).abs().sum()) for layer in zip(*signs, strict=True))
    assert find_scorer("gradsign")(student, student)["gradsign"] == pytest.approx(
        expected, rel=1e-3
    )
    assert whole.isfinite().all()
