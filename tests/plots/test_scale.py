"""Axes contain every value, with a few round ticks that have different labels."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from diswot.plots._scale import Scale, wants_log

VALUES = st.floats(-1e12, 1e12, allow_subnormal=False)


@given(values=st.lists(VALUES, min_size=1, max_size=8))
def test_a_linear_axis_contains_every_value(values: list[float]) -> None:
    scale = Scale.over(values)
    assert all(0 <= scale.place(value) <= 1 for value in values)
    assert [scale.place(v) for v in sorted(values)] == sorted(scale.place(v) for v in values)


@given(low=VALUES, spread=st.floats(1e-3, 1e6))
def test_a_linear_axis_has_a_few_ticks_with_different_labels(low: float, spread: float) -> None:
    assume(abs(low) < 1e5 * spread)
    scale = Scale(low, low + spread)
    ticks = scale.ticks()
    assert 3 <= len(ticks) <= 9
    assert all(-1e-6 <= scale.place(value) <= 1 + 1e-6 for value, _ in ticks)
    assert len({text for _, text in ticks}) == len(ticks)


@given(values=st.lists(st.floats(1e-6, 1e12), min_size=2, max_size=8))
def test_a_logarithmic_axis_contains_every_value_and_its_ticks(values: list[float]) -> None:
    assume(wants_log(values))
    scale = Scale.over(values, log=True)
    assert all(0 <= scale.place(value) <= 1 for value in values)
    assert scale.ticks()
    assert all(0 <= scale.place(value) <= 1 for value, _ in scale.ticks())


@pytest.mark.parametrize("values", [[0.0], [-0.9], [5e-324, 0.0], [1e299, -1e299], [3.0, 3.0]])
def test_extreme_values_have_an_axis(values: list[float]) -> None:
    scale = Scale.over(values)
    assert all(math.isfinite(scale.place(value)) for value in values)
    assert scale.ticks()


def test_integer_values_have_only_integer_ticks() -> None:
    assert [text for _, text in Scale.over([1, 2], whole=True).ticks()] == ["1", "2"]


@pytest.mark.parametrize(
    ("values", "log"), [([0, 10**9], False), ([1, 10], False), ([1, 40], True)]
)
def test_only_positive_values_far_apart_get_a_logarithmic_axis(
    values: list[int], log: bool
) -> None:
    assert wants_log(values) is log
