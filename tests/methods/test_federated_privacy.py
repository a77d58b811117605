"""The ε of noise on soft labels agrees with the Rényi differential privacy of the Gaussian."""

import math

import pytest

from diswot.methods.federated import epsilon

pytest.importorskip("dp_accounting", reason="the extra privacy is not installed")

DELTA = 1e-5


def classical(noise: float, *, samples: int, rounds: int) -> float:
    """Return ε by Mironov's conversion: the minimum over α of αρ + ln(1/δ)/(α − 1)."""
    rho = rounds * (2 * samples) / (2 * noise**2)
    return rho + 2 * math.sqrt(rho * math.log(1 / DELTA))


@pytest.mark.parametrize(
    ("noise", "samples", "rounds"), [(20, 200, 10), (5, 24, 1), (300, 400, 50)]
)
def test_epsilon_is_at_most_that_of_the_classical_conversion(
    noise: float, samples: int, rounds: int
) -> None:
    found = epsilon(noise, samples=samples, rounds=rounds)
    assert 0.8 * classical(noise, samples=samples, rounds=rounds) < found
    assert found <= classical(noise, samples=samples, rounds=rounds) * 1.01


def test_noise_and_rounds_change_epsilon_in_the_right_direction() -> None:
    base = epsilon(20, samples=200, rounds=10)
    assert epsilon(40, samples=200, rounds=10) < base < epsilon(20, samples=200, rounds=20)
    assert base < epsilon(20, samples=400, rounds=10)
    assert epsilon(0, samples=200, rounds=10) == math.inf
