"""Formulas, their evolution, and what they are worth on networks that were left out."""

import importlib.util
import random
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from diswot.bench.discovery import (
    QUANTITIES,
    DiscoverySettings,
    EvolutionSettings,
    Formula,
    LayerTable,
    cross_validated,
    discover,
    evolve,
    leave_one_out,
)
from diswot.bench.rank_statistics import Vector, kendall
from diswot.errors import OptionError
from diswot.progress import Step, silent
from diswot.search import resolve_scoring

SMALL = EvolutionSettings(population=20, generations=4)


def table(name: str, seed: int, networks: int = 40) -> LayerTable:
    """Return networks of random layers, whose accuracies follow from q r / P."""
    rng = np.random.default_rng(seed)

    def layers() -> Mapping[str, Vector]:
        count = int(rng.integers(2, 6))
        drawn = {symbol: rng.integers(1, 50, count).astype(float) for symbol in QUANTITIES}
        return drawn | {"P": np.full(count, 16.0)}

    drawn = [layers() for _ in range(networks)]
    accuracies = np.array([float((n["q"] * n["r"] / n["P"]).sum()) for n in drawn])
    params = rng.integers(100, 1000, networks).astype(float)
    return LayerTable(name, drawn, accuracies, params, params[::-1], params)


def test_a_formula_is_summed_over_layers() -> None:
    formula = Formula.parse("divide(multiply(q, r), P)")
    assert str(formula) == "((q * r) / P)"
    found = table("one", 0)
    assert found.scores(formula) == pytest.approx(found.accuracies)


def test_networks_without_positions_count_all_layers() -> None:
    layers = {symbol: np.array([2.0, 3.0]) for symbol in QUANTITIES} | {"P": np.ones(2)}
    both = LayerTable("flat", [layers] * 2, np.arange(2.0), *[np.ones(2)] * 3)
    assert both.scores(Formula.parse("q")).tolist() == [5, 5]


@pytest.mark.parametrize(
    "text", ["maximum(sqrt(q), log1p(t))", "minimum(add(c, P), divide(r, q))", "c"]
)
def test_the_text_of_a_formula_is_its_value(text: str) -> None:
    formula, layers = Formula.parse(text), table("one", 0).networks[0]
    names = {name: getattr(np, name) for name in ("maximum", "minimum", "sqrt", "log1p")}
    assert formula(layers) == pytest.approx(eval(str(formula), names, dict(layers)))


def test_evolution_finds_a_formula_that_ranks_left_out_networks() -> None:
    settings = EvolutionSettings(population=60, generations=15)
    formula = evolve([table("one", 0), table("two", 1)], settings, seed=0)
    left_out = table("three", 2)
    assert kendall(left_out.scores(formula), left_out.accuracies) > 0.8
    assert formula.height <= 6


def test_equal_seeds_give_equal_formulas() -> None:
    tables = [table("one", 0)]
    random.seed(5)
    first = str(evolve(tables, SMALL, seed=1))
    state = random.getstate()
    assert str(evolve(tables, SMALL, seed=1)) == first
    assert random.getstate() == state  # the global random numbers are untouched


def test_each_table_is_left_out_once_per_seed() -> None:
    steps: list[Step] = []
    rows = leave_one_out(
        [table(name, seed) for seed, name in enumerate("ab")], SMALL, seeds=2, progress=steps.append
    )
    found = [(row.left_out, row.score, row.seed) for row in rows]
    baselines = [("student_fit", None), ("params", None), ("flops", None)]
    each = [("discovered", 0), ("discovered", 1), *baselines]
    assert found == [(name, *row) for name in "ab" for row in each]
    assert [(step.done, step.total) for step in steps] == [(n, 4) for n in range(1, 5)]
    assert all(row.low <= row.kendall <= row.high for row in rows)


def test_a_third_of_a_table_is_left_out() -> None:
    rows = cross_validated(table("mine", 0, 31), SMALL, seeds=2, progress=silent)
    assert {(row.left_out, row.networks) for row in rows} == {("a third of mine", 10)}
    assert [row.score for row in rows][:4] == ["discovered", "student_fit", "params", "flops"]


def test_a_score_that_ranks_nothing_has_tau_0() -> None:
    constant = [{symbol: np.ones(1) for symbol in QUANTITIES}] * 10
    flat = LayerTable("flat", constant, np.arange(10.0), *[np.ones(10)] * 3)
    rows = leave_one_out([flat, table("one", 0)], SMALL, seeds=1, progress=silent)
    assert [row.kendall for row in rows if row.left_out == "flat"] == [0, 0, 0, 0]


STAGES = [(a, b, c) for a in (1, 3, 5, 7) for b in (1, 3, 5) for c in (1, 3, 5)]
ROWS = [f"{a}-{b}-{c},{50 + 2 * a + b + c / 10}" for a, b, c in STAGES]


def own(folder: Path, rows: list[str], **options: object) -> DiscoverySettings:
    path = folder / "mine.csv"
    path.write_text("\n".join(["arch,acc", *rows]))
    values = {"column": "acc", "space": "s0", "data": "digits", "seeds": 1, "population": 10}
    return DiscoverySettings(csv=str(path), generations=1, **{**values, **options})  # type: ignore[arg-type]


@pytest.mark.slow
def test_a_table_of_ones_own_gives_a_score(tmp_path: Path) -> None:
    settings, out = own(tmp_path, ROWS), tmp_path / "out"
    found = discover(settings, out, progress=silent)
    assert [row.networks for row in found.rows] == [12] * 4
    # The measurements are not repeated, and the result is the same.
    records = (out / "mine" / "records.jsonl").read_bytes()
    table_before = (out / "left-out.csv").read_bytes()
    assert discover(settings, out, progress=silent) == found
    assert (out / "mine" / "records.jsonl").read_bytes() == records
    assert (out / "left-out.csv").read_bytes() == table_before
    # The written module computes the formula.
    spec = importlib.util.spec_from_file_location("discovered", out / "discovered.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    evaluator = resolve_scoring("resnet20", "s0", data="digits", scorer=module.discovered).evaluator
    candidate = evaluator.evaluate(evaluator.space.from_string("1-3-1"))
    assert candidate.failure is None
    assert all(np.isfinite(values).all() for values in candidate.terms.values())
    assert candidate.terms


def test_few_networks_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"at least 30 networks, .* but .* has 12: add rows"):
        discover(own(tmp_path, ROWS[:12]), tmp_path / "out", progress=silent)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"csv": "x.csv", "column": "acc"}, "give --space, --data too"),
        ({"truths": ("digits-s0", "digits-thin"), "space": "s0"}, "--space is for a table"),
        ({"truths": ("digits-s0", "digits-s0")}, "at least two ground truths"),
        ({}, "but got none: name more with --truths"),
    ],
)
def test_options_that_do_not_fit_are_refused(options: dict[str, object], reason: str) -> None:
    with pytest.raises(OptionError, match=reason):
        DiscoverySettings(**options)  # type: ignore[arg-type]
