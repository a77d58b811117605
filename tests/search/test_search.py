"""The search as a whole, through the Python API."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import diswot
from diswot.errors import BudgetError
from diswot.scorers import COMBINATIONS, combine
from diswot.search import ENGINES, resolve_scoring
from search_spaces import Architecture, Choice, ChoiceSpace, ResNetDepthSpace

SMALL: dict[str, Any] = {"repeats": 1, "batch_size": 8, "population": 4, "generations": 2}
SPACE = ResNetDepthSpace((1, 2, 3), widths=(4, 4, 8, 16), in_channels=1)


def search(**options: Any) -> diswot.SearchResult:
    return diswot.search("resnet20", options.pop("space", SPACE), **(SMALL | options))


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_only_the_same_seed_gives_the_same_run(engine: str) -> None:
    runs = [search(engine=engine, seed=seed) for seed in (0, 0, 1)]
    keys = [[(c.name, c.terms, c.score) for c in run.candidates] for run in runs]
    assert keys[0] == keys[1] != keys[2]


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_no_candidate_is_scored_twice_and_none_is_over_budget(engine: str) -> None:
    limit = 8_000
    run = search(engine=engine, budget=diswot.Budget(params=limit), population=6, generations=4)
    names = [candidate.name for candidate in run.candidates]
    assert len(names) == len(set(names))
    assert all(candidate.params <= limit for candidate in run.ranking)
    assert all(candidate.params > limit and not candidate.terms for candidate in run.over_budget)
    assert engine == "nsga2" or not run.over_budget
    assert run.best.score == max(c.score for c in run.candidates if c.score is not None)


def test_a_small_space_is_searched_completely() -> None:
    run = search(space=ResNetDepthSpace((1, 2), widths=(4, 4, 8), in_channels=1), generations=9)
    assert sorted(c.name for c in run.candidates) == ["1-1", "1-2", "2-1", "2-2"]
    assert run.baselines["largest"].name == "2-2"
    assert run.baselines["smallest"].name == "1-1"


@pytest.mark.slow
def test_global_random_states_are_unchanged() -> None:
    random.seed(7)
    np.random.seed(7)  # noqa: NPY002  (the global state is what is tested)
    torch.manual_seed(7)
    expected = random.random(), np.random.rand(), torch.rand(1)  # noqa: NPY002
    random.seed(7)
    np.random.seed(7)  # noqa: NPY002
    torch.manual_seed(7)
    search()
    assert (random.random(), np.random.rand(), torch.rand(1)) == expected  # noqa: NPY002


def test_networks_over_budget_are_never_allocated() -> None:
    built: list[tuple[str, int]] = []

    class Watched(ResNetDepthSpace):
        def build(self, arch: Architecture, num_classes: int) -> nn.Module:
            network = super().build(arch, num_classes)
            parameters = list(network.parameters())
            built.append((parameters[0].device.type, sum(p.numel() for p in parameters)))
            return network

    space = Watched((1, 2, 3), widths=(4, 4, 8, 16), in_channels=1)
    search(space=space, budget=diswot.Budget(params=6_000))
    assert max(size for device, size in built if device == "meta") > 6_000
    assert max(size for device, size in built if device != "meta") <= 6_000


def test_an_unmet_budget_reports_the_smallest_network() -> None:
    with pytest.raises(BudgetError, match=r"params ≤ 10.* smallest is 1-1-1 with params"):
        search(budget=diswot.Budget(params=10))


@pytest.mark.slow
def test_a_run_folder_is_read_back_unchanged(tmp_path: Path) -> None:
    run = search(out=tmp_path / "run")
    read = diswot.load_run(tmp_path / "run", space=SPACE)
    assert read.best == run.best
    assert read.candidates == run.candidates
    assert read.baselines == run.baselines
    assert sum(p.numel() for p in read.best.build().parameters()) == run.best.params


class OneBad(ChoiceSpace):
    """Three widths, one of which gives an infinite feature map."""

    width = Choice(4, 6, 8)

    def build(self, arch: Architecture, num_classes: int) -> nn.Module:
        conv = nn.Conv2d(1, arch.width, 3)
        if arch.width == 6:
            nn.init.constant_(conv.weight, float("inf"))
        head = nn.Linear(arch.width, num_classes)
        return nn.Sequential(conv, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), head)


def test_a_score_that_is_not_finite_fails_only_its_candidate() -> None:
    run = search(space=OneBad())
    (failed,) = run.failures
    assert failed.name == "width=6"
    assert failed.score is None
    assert "student_fit is nan" in (failed.failure or "")
    assert len(run.candidates) == 3


def test_scores_computed_singly_and_together_are_equal() -> None:
    options: dict[str, Any] = {"space": SPACE, "repeats": 2, "batch_size": 8, "scorer": "diswot"}
    together = diswot.score(["1-2-3", "3-2-1"], "resnet20", **options)
    single = diswot.score(["3-2-1"], "resnet20", **options)
    assert together[1].terms == single[0].terms
    assert together[1].score == single[0].score
    assert [len(values) for values in single[0].terms.values()] == [2, 2]


@pytest.mark.slow
def test_score_and_search_use_the_same_default_score() -> None:
    (scored,) = diswot.score(["1-1-1"], "resnet20", space=SPACE, repeats=1, batch_size=8)
    found = search()
    assert list(scored.terms) == list(found.best.terms)
    assert found.manifest["settings"]["scorer"] == "student_fit"


def test_isomorphic_architectures_share_scores_but_not_costs() -> None:
    dead_convolution = "|none~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|none~1|skip_connect~2|"
    without = "|none~0|+|none~0|none~1|+|skip_connect~0|none~1|skip_connect~2|"
    first, second = diswot.score(
        [dead_convolution, without], "resnet20", space="nas-bench-201", repeats=1, batch_size=8
    )
    assert first.score == second.score
    assert first.params > second.params


def test_a_trained_teacher_can_be_scored_with_its_weights() -> None:
    torch.manual_seed(0)
    teacher = SPACE.build(SPACE.from_string("1-1-1"), 10)
    before = {name: tensor.clone() for name, tensor in teacher.state_dict().items()}
    options: dict[str, Any] = {"space": SPACE, "repeats": 1, "batch_size": 8, "scorer": "diswot"}
    random_state = diswot.score(["1-1-1"], teacher, teacher_state="random", **options)
    trained = diswot.score(["1-1-1"], teacher, teacher_state="trained", **options)
    assert random_state[0].terms != trained[0].terms
    assert all(torch.equal(before[name], now) for name, now in teacher.state_dict().items())


@pytest.mark.parametrize("how", COMBINATIONS)
def test_combined_scores_increase_with_every_term(how: Any) -> None:
    terms = np.array([[0.0, 1.0], [1.0, 2.0], [2.0, 5.0]])
    scores = combine(terms, how, terms)
    assert list(scores) == sorted(scores)


def test_standard_scores_do_not_depend_on_the_scale_of_a_term() -> None:
    rng = np.random.default_rng(0)
    terms = rng.normal(size=(9, 2))
    scaled = terms * [1.0, 1000.0] + [5.0, -3.0]
    np.testing.assert_allclose(
        combine(terms, "standard", terms[:4]), combine(scaled, "standard", scaled[:4])
    )


@pytest.mark.slow
def test_semantic_grad_has_its_measured_correlation_on_s0(shared_data: Path) -> None:
    from diswot.bench.ground_truths import find_truth
    from diswot.bench.rank_statistics import kendall

    truth = find_truth("resnet-s0", shared_data)
    scored = diswot.score(
        truth.architectures,
        "resnet110",
        space=truth.space,
        data=truth.data,
        data_root=shared_data,
        scorer="semantic_grad",
    )
    assert kendall(np.array([c.score for c in scored]), truth.accuracies("distilled")) > 0.5


@pytest.mark.parametrize(
    ("scorer", "repeats", "examples"),
    [("student_fit", 2, 16), ("student_fit_1", 3, 64), ("student_fit + nwot", 3, 64)],
)
def test_repeats_and_batch_size_default_to_those_of_the_scorer(
    scorer: str, repeats: int, examples: int
) -> None:
    chosen = resolve_scoring("resnet20", "s0", scorer=scorer).settings
    assert (chosen["repeats"], chosen["batch_size"]) == (repeats, examples)
    chosen = resolve_scoring("resnet20", "s0", scorer=scorer, repeats=1, batch_size=8).settings
    assert (chosen["repeats"], chosen["batch_size"]) == (1, 8)
