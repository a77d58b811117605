"""student_fit against a direct transcription of its definition, and its properties."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import diswot
from diswot.errors import NetworkError
from diswot.scorers import find_scorer, layer_quantities
from diswot.scorers.student_fit import input_scale, output_freedom
from search_spaces import ResNetDepthSpace
from tests.scorers.probes import (
    CLASSES,
    NETWORKS,
    batch,
    calls,
    cell,
    dead,
    layers,
    probe_of,
    resnet,
    score,
    scored,
    transformer,
    without_normalization,
)

SPACE = ResNetDepthSpace((1, 2), widths=(4, 4, 8), in_channels=1)
QUICK: dict[str, Any] = {"space": SPACE, "data": "digits", "repeats": 1, "batch_size": 8}


def directions(images: list[np.ndarray]) -> float:
    """Return the mean over images (P, C) of (Σλ)² / Σλ² of their principal components."""
    found = []
    for positions in images:
        variances = np.linalg.eigvalsh(
            np.cov(positions, rowvar=False).reshape((positions.shape[1],) * 2)
        )
        filled = variances.sum() ** 2 / (variances**2).sum() if variances.sum() > 1e-12 else 1.0
        found.append(max(1.0, filled))
    return float(np.mean(found))


def by_image(output: Tensor) -> list[np.ndarray]:
    """Return the channels at every position of each image."""
    rows = output.flatten(2).mT if output.ndim == 4 else output
    return [image.reshape(-1, image.shape[-1]).double().numpy() for image in rows.detach()]


def transcribed(network: nn.Module, noise: Tensor, width: int) -> float:
    """Return ln(1 + ρ s Σ √(q r / P) · ln(q r t)) of the layers that write several positions.

    ρ is d (2n - d) / n² for n = K - 1 and a classifier that reads d numbers, at most n. s² is
    the number of values that the first layer reads, divided by that of the image.
    """
    total = 0.0
    needed = CLASSES - 1
    rank = min(width, needed)
    freedom = rank * (2 * needed - rank) / needed**2
    ((first, _), *_) = calls(network, layers(network)[:1], noise)
    scale = math.sqrt(first[0].numel() / noise[0].numel())
    for layer in layers(network):
        for given, output in calls(network, [layer], noise):
            positions = len(by_image(output)[0])
            if positions == 1:
                continue
            pairs = directions(by_image(given)) * directions(by_image(output))
            taps = math.prod(layer.weight.shape[2:])
            total += math.sqrt(pairs / positions) * math.log(pairs * taps)
    return math.log(1 + freedom * scale * total)


def narrow(width: int) -> nn.Sequential:
    """Return a network whose classifier reads `width` channels."""
    torch.manual_seed(1)
    body = [nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, width, 3)]
    return nn.Sequential(*body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, CLASSES))


DEFINED: Mapping[str, tuple[Callable[[], nn.Module], int]] = {
    "resnet": (NETWORKS["resnet"], 16),
    "cell": (NETWORKS["cell"], 16),
    "transformer": (NETWORKS["transformer"], 12),
    "narrow": (lambda: narrow(2), 2),
    "nearly wide enough": (lambda: narrow(5), 5),
    "wide enough": (lambda: narrow(6), 6),
    "half the sides": (lambda: nn.Sequential(nn.AvgPool2d(2), narrow(6)), 6),
}


@pytest.mark.parametrize(("build", "width"), list(DEFINED.values()), ids=list(DEFINED))
def test_student_fit_equals_its_definition(build: Callable[[], nn.Module], width: int) -> None:
    student = probe_of(build(), batch(), "student_fit")
    noise = torch.randn(4, *batch()[0].shape[1:], generator=student.generator("student fit"))
    found = find_scorer("student_fit")(student, student)
    assert found == {"student_fit": pytest.approx(transcribed(build(), noise, width), rel=1e-4)}


class Reordered(nn.Module):
    """A network whose classifier is registered before the layers that it follows."""

    def __init__(self) -> None:
        super().__init__()
        body = narrow(2)
        self.classifier, self.body = body[-1], body[:-1]

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.classifier(self.body(x))
        return found


def test_the_last_layer_is_the_one_that_is_called_last() -> None:
    assert score("student_fit", Reordered()) == pytest.approx(score("student_fit", narrow(2)))


def test_a_last_layer_before_a_pooled_output_has_no_factor() -> None:
    both = nn.Sequential(narrow(2), nn.Unflatten(1, (1, CLASSES)), nn.AvgPool1d(2), nn.Flatten())
    wide = nn.Sequential(narrow(2)[:-1], nn.Linear(2, 3))
    assert score("student_fit", both) == pytest.approx(score("student_fit", wide), rel=1e-6)


@pytest.mark.parametrize(
    ("shape", "values", "scale"),
    [((3, 8, 8), 192, 1), ((3, 8, 8), 48, 0.5), ((3, 8, 8), 768, 2), ((5,), 5, 1)],
)
def test_the_input_scale_is_that_of_sides(
    shape: tuple[int, ...], values: int, scale: float
) -> None:
    assert input_scale(values, torch.zeros(2, *shape)) == scale
    assert input_scale(values, torch.zeros(2, *shape, dtype=torch.int64)) == 1


@pytest.mark.parametrize("outputs", [1, 2, 10, 1000])
def test_output_freedom_is_that_of_a_matrix_of_this_rank(outputs: int) -> None:
    found = [output_freedom(width, outputs) for width in range(1, outputs + 2)]
    needed = outputs - 1
    assert found[max(needed, 1) - 1 :] == [1.0] * (len(found) - max(needed, 1) + 1)
    ranks = [d * (2 * needed - d) / needed**2 for d in range(1, needed)]
    assert found[: len(ranks)] == pytest.approx(ranks)


def test_student_fit_uses_no_teacher_labels_or_gradients() -> None:
    card = find_scorer("student_fit").card
    assert (card.needs_teacher, card.needs_labels, card.needs_gradients) == (False, False, False)
    one, other = (scored(cell(), resnet(seed), batch(), "student_fit") for seed in (2, 3))
    assert one == other


@pytest.mark.parametrize("build", [without_normalization, dead, cell, transformer])
def test_networks_of_all_families_have_a_score(build: Callable[[], nn.Module]) -> None:
    assert math.isfinite(score("student_fit", build()))


def test_a_network_with_zero_activations_has_the_lowest_score() -> None:
    assert score("student_fit", dead()) < score("student_fit", cell())


def thin(kernel: int, width: int = 6, depth: int = 3) -> nn.Module:
    torch.manual_seed(1)
    sides: dict[str, Any] = {"kernel_size": kernel, "padding": kernel // 2}
    inner = [nn.Sequential(nn.Conv2d(width, width, **sides), nn.ReLU()) for _ in range(depth)]
    last = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 7)]
    return nn.Sequential(nn.Conv2d(3, width, **sides), nn.ReLU(), *inner, *last)


def test_larger_kernels_score_higher() -> None:
    assert score("student_fit", thin(1)) < score("student_fit", thin(3))


@pytest.mark.parametrize(
    ("less", "more"), [({"width": 4}, {"width": 8}), ({"depth": 1}, {"depth": 4})]
)
def test_wider_and_deeper_networks_score_higher(less: dict[str, int], more: dict[str, int]) -> None:
    assert score("student_fit", thin(3, **less)) < score("student_fit", thin(3, **more))


def perceptron(width: int) -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(
        nn.Flatten(), nn.Linear(768, width), nn.ReLU(), nn.Linear(width, width), nn.Linear(width, 7)
    )


def test_in_perceptrons_the_examples_take_the_place_of_positions() -> None:
    assert 0 < score("student_fit", perceptron(2)) < score("student_fit", perceptron(8))


def test_a_network_without_layers_is_refused() -> None:
    bare = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    with pytest.raises(NetworkError, match="calls no convolution and no linear layer"):
        score("student_fit", bare)
    with pytest.raises(NetworkError, match="calls no convolution and no linear layer"):
        layer_quantities(probe_of(bare, batch(), "student_fit"))


@pytest.mark.parametrize("build", [cell, lambda: perceptron(8)])
def test_layer_quantities_are_of_the_counted_layers(build: Callable[[], nn.Module]) -> None:
    network = build()
    q, r, t, positions, channels = layer_quantities(probe_of(network, batch(), "student_fit"))
    total = float(((q * r / positions).sqrt() * (q * r * t).log()).sum())
    assert math.log1p(total) == pytest.approx(score("student_fit", network))
    widths = [len(layer.weight) for layer in layers(network)]
    assert channels.tolist() == (widths if positions.max() == 1 else widths[:-1])


def test_a_network_that_is_not_finite_has_no_finite_score() -> None:
    broken = without_normalization()
    with torch.no_grad():
        next(broken.parameters()).fill_(torch.nan)
    assert not math.isfinite(score("student_fit", broken))


def test_activations_of_any_scale_have_a_finite_score() -> None:
    for scale in (1e-6, 1e6):
        network = without_normalization()
        with torch.no_grad():
            next(network.parameters()).mul_(scale)
        assert math.isfinite(score("student_fit", network))


def test_the_order_of_candidates_does_not_change_scores() -> None:
    names = ["1-1", "1-2", "2-1", "2-2"]
    first, second = (
        {found.name: found.score for found in diswot.score(order, "resnet20", **QUICK)}
        for order in (names, names[::-1])
    )
    assert first == second


def test_a_search_records_the_score_version_and_uses_no_teacher() -> None:
    found = diswot.search("resnet20", population=2, generations=1, **QUICK)
    settings = found.manifest["settings"]
    assert settings["scorer_versions"] == {"student_fit": 4}
    assert settings["needs_teacher"] is False
    assert settings["teacher_state"] == "random"
