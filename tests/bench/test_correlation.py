"""Scores against accuracies: from measurements to statistics."""

import numpy as np
import pytest

from diswot.bench.correlation import BASELINES, correlate, scores_of
from diswot.bench.measurement import Measured
from diswot.bench.plots import plot_scatter
from diswot.bench.rank_statistics import kendall


def measured(values: list[float | None]) -> list[Measured]:
    """Return architectures with two repeats of the term `nwot`; `None` means that one failed."""
    return [
        Measured(
            params=1000 + (7 * place) % 5,
            macs=place,
            terms={"params": (1000.0 + (7 * place) % 5,) * 2}
            | ({} if value is None else {"nwot": (value, -value)}),
            failures={"nwot": "NetworkError: no rectifiers"} if value is None else {},
        )
        for place, value in enumerate(values)
    ]


ACCURACIES = np.arange(60.0, 72.0)


def test_failed_architectures_are_left_out_and_counted_by_reason() -> None:
    found = measured([float(i) if i % 4 else None for i in range(12)])
    row = correlate(found, ACCURACIES, "nwot", truth="t", target="distilled")
    assert (row.architectures, row.failed, row.why) == (12, 3, "NetworkError: no rectifiers")
    assert row.statistics is None  # the mean of a value and its negative is 0 for all
    assert "constant" in row.undefined
    row = correlate(found, ACCURACIES, "params", truth="t", target="distilled")
    assert (row.failed, row.why, row.baseline) == (0, "", True)
    assert np.isnan(scores_of(found, "nwot")).sum() == 3


def test_failed_architectures_have_no_dots_in_the_scatter_plot() -> None:
    scores = np.where(np.arange(12) % 4, np.arange(12.0), np.nan)
    found = [Measured(1, 1, {"nwot": (value, value + 1)}, {}) for value in range(12)]
    row = correlate(found, ACCURACIES, "nwot", truth="t", target="distilled")
    (plot,) = plot_scatter([row], {"nwot": scores}, ACCURACIES, "scatter").plots
    assert len(plot.series[0].dots) == 9


def test_the_correlation_of_every_repeat_is_computed() -> None:
    values = [1.0, 3, 2, 5, 4, 6, 8, 7, 9, 11, 10, 12]
    two = [Measured(1, 1, {"nwot": (value, 2 * value)}, {}) for value in values]
    row = correlate(two, ACCURACIES, "nwot", truth="t", target="distilled")
    assert row.statistics is not None
    expected = kendall(np.array(values), ACCURACIES)
    assert row.statistics.kendall.value == row.single_mean == pytest.approx(expected)
    assert row.single_sd == 0
    assert row.repeats == 2


def test_logrank_ranks_among_the_measured_architectures() -> None:
    rng = np.random.default_rng(0)
    terms = rng.normal(size=(12, 2))
    found = [Measured(1, 1, {"jacov": (a,), "params": (b,)}, {}) for a, b in terms]
    ranks = terms.argsort(axis=0).argsort(axis=0) + 1
    np.testing.assert_allclose(
        scores_of(found, "logrank(jacov,params)"), np.log(ranks / 12).sum(axis=1)
    )


def test_a_scorer_that_always_fails_has_no_statistics() -> None:
    row = correlate(measured([None] * 12), ACCURACIES, "nwot", truth="t", target="distilled")
    assert (row.failed, row.statistics) == (12, None)
    assert row.undefined


def test_the_baselines_include_params_flops_and_depth() -> None:
    assert BASELINES == ("params", "flops", "trainable_layers", "logrank(jacov,params)")
