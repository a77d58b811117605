"""Per-layer measurements of untrained networks, and candidate formulas of scores."""

import math

import pytest
import torch
from torch import nn

from benchmarks.lab import forms
from benchmarks.lab.layers import SUBJECTS, effective_rank, layers_of, measured
from benchmarks.results_folder import RESULTS
from diswot.bench.ground_truths import digits_s0_truth
from diswot.scorers.noise_blocks import spectral_entropy


def draw(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("shape", [(200, 5), (5, 200), (20, 20)])
def test_effective_rank_equals_the_spectral_entropy_formula(shape: tuple[int, int]) -> None:
    features = draw(*shape)
    expected = float(spectral_entropy(features).exp())
    assert effective_rank(features) == pytest.approx(expected, rel=1e-5)


def test_effective_rank_counts_independent_directions() -> None:
    assert effective_rank(torch.ones(9, 4)) == 1
    assert effective_rank(draw(9, 1) * torch.ones(1, 4)) == pytest.approx(1)
    assert effective_rank(draw(9000, 4)) == pytest.approx(4, rel=1e-3)


def test_layers_have_their_channels_fan_in_and_reach() -> None:
    network = nn.Sequential(
        nn.Conv2d(3, 6, 1),
        nn.ReLU(inplace=True),
        nn.Conv2d(6, 12, 3, padding=1, groups=3, stride=2),
        nn.Flatten(),
        nn.Linear(12 * 16, 5),
    )
    layers = layers_of(network, (3, 8, 8), seed=0)
    described = [layer[1:5] for layer in layers]
    assert described == [(6, 18, 1, 64), (12, 216, 9, 16), (5, 960, 1, 1)]
    # One pixel reaches itself through 1×1, the 2 × 2 nearest positions through 3×3 of
    # stride 2, and every output of the head.
    assert [layer[5] for layer in layers] == pytest.approx([1 / 64, 1 / 16, 1])
    assert all(1 <= rank <= channels for rank, channels, *_ in layers)


def test_measurements_do_not_depend_on_the_global_seed() -> None:
    truth = digits_s0_truth(RESULTS)
    torch.manual_seed(1)
    one = measured(SUBJECTS["digits-s0"], truth, 5)
    torch.manual_seed(2)
    assert measured(SUBJECTS["digits-s0"], truth, 5) == one
    assert one.accuracy == truth.accuracies("distilled")[5]
    assert len(one.ranks.split()) == len(one.reach.split())


def test_the_formula_is_selected_on_the_other_ground_truths() -> None:
    names = forms.LEFT_OUT
    taus = {name: dict.fromkeys(forms.FORMS, 0.5) for name in names}
    for name in names:
        taus[name]["params"] = 0.9  # a baseline, which is not chosen
        taus[name]["r ln r"] = 0.6
    taus[names[0]]["r ln r"] = -1.0
    assert forms.chosen(taus, names[0]) == "r ln r"
    assert forms.chosen(taus, names[1]) != "r ln r"
    taus[names[0]]["r ln² r"] = taus[names[2]]["r ln² r"] = (
        0.503  # a higher mean but not a higher minimum
    )
    assert forms.chosen(taus, names[1]) == "r ln² r"


@pytest.mark.parametrize("name", forms.LEFT_OUT)
def test_every_formula_is_finite_on_the_measurements(name: str) -> None:
    networks, accuracies = forms.networks_of(name)
    assert len(networks) == len(accuracies) >= 64
    for form in forms.FORMS.values():
        assert all(math.isfinite(form(network)) for network in networks[:20])
