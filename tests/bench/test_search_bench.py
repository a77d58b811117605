"""`diswot bench search`: engines against random search on stored measurements."""

import csv
import itertools
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import diswot
from diswot.bench.ground_truths import GroundTruth, find_truth
from diswot.bench.measurement import Measured, evaluator_for, measure
from diswot.bench.record_store import RECORDS
from diswot.bench.search_bench import (
    KnownSpace,
    Landscape,
    RecordedEvaluator,
    SearchBenchSettings,
    SearchRow,
    compared,
    found_after,
    median_difference,
    reason,
    rows_of,
    run_search_bench,
)
from diswot.errors import BudgetError, DiswotError, OptionError
from diswot.progress import Step, silent
from diswot.scorers import find_scorer
from diswot.search import Budget
from diswot.search.engines import EngineSettings
from search_spaces import AutoFormerSpace, ResNetDepthSpace, SearchSpace
from tests.conftest import CommandLine
from tests.signatures import of_images

ANYTHING = Budget()
IMAGES = of_images(3, 32, 32)
SETTINGS = SearchBenchSettings(
    "digits-s0",
    ("nwot", "params"),
    engines=("evolution",),
    seeds=3,
    evaluations=30,
    population=10,
    teacher="resnet20",
    repeats=1,
    batch_size=8,
)
OPTIONS = (
    "bench", "search", "--engines", "evolution", "--seeds", 3, "--evaluations", 30,
    "--population", 10, "--teacher", "resnet20", "--repeats", 1, "--batch-size", 8,
)  # fmt: skip


@pytest.fixture(scope="module")
def measurements(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return measurements of `nwot` and `relation` for digits-s0."""
    folder = tmp_path_factory.mktemp("bench") / "measurements"
    truth = find_truth("digits-s0", Path())
    settings = replace(SETTINGS, scorers=("nwot", "relation")).measurement(truth, "distilled")
    measure(
        settings, [truth.space.to_string(a) for a in truth.architectures], folder, progress=silent
    )
    return folder


@pytest.fixture
def kept(measurements: Path, tmp_path: Path) -> Path:
    """Return a copy of the measurements, which a test may change."""
    return Path(shutil.copytree(measurements, tmp_path / "kept"))


def landscape(
    score: Callable[[tuple[int, ...]], float | None], *, budget: Budget = ANYTHING
) -> Landscape:
    """Return 1,000 networks whose accuracy grows with depth, with `nwot` given by `score`."""
    space = ResNetDepthSpace(range(1, 11))
    archs = tuple(space)
    records = [
        Measured(
            params=sum(arch),
            macs=sum(arch),
            terms={} if score(arch) is None else {"nwot": (float(score(arch) or 0),)},
            failures={"nwot": "NetworkError: no rectifiers"} if score(arch) is None else {},
        )
        for arch in archs
    ]
    accuracies = np.array([50.0 + sum(arch) + arch[0] / 100 for arch in archs])
    truth = GroundTruth("blocks", space, "s0", "digits", archs, {"accuracy": accuracies})
    return Landscape.of(truth, "accuracy", records, signature=IMAGES, budget=budget)


def rows(known: Landscape, **changes: object) -> dict[str, SearchRow]:
    """Return the results of 10 searches of 60 evaluations, by engine."""
    settings = SearchBenchSettings("blocks", ("nwot",), seeds=10, evaluations=60)
    found = rows_of(
        known.scored("nwot"),
        replace(settings, **changes),  # type: ignore[arg-type]
        [20, 60],
        milliseconds=None,
        searched=lambda: None,
    )
    return {row.engine: row for row in found if row.evaluations == 60}


@pytest.mark.slow
def test_with_accuracy_as_score_every_engine_beats_random() -> None:
    found = rows(landscape(lambda arch: sum(arch) + arch[0] / 100))
    assert found["random"].difference is None
    for engine in ("evolution", "regularized"):
        row = found[engine]
        assert (row.verdict, row.why) == ("better", "")
        assert (row.best, row.top_scored) == (80.1, 80.1)
        assert row.regret <= 1.5 < found["random"].regret
        assert row.reached > found["random"].reached
        assert (row.wins, row.p) == (row.score_wins, row.score_p)
        assert row.difference is not None
        assert 0 < row.difference.low <= row.difference.value <= row.difference.high


@pytest.mark.slow
def test_a_misleading_score_makes_engines_worse_with_a_reason() -> None:
    found = rows(landscape(lambda arch: -sum(arch)))
    row = found["evolution"]
    assert row.verdict == "worse"
    assert row.score_wins is not None
    assert row.wins is not None
    assert row.wins < 0.2 < 0.8 < row.score_wins
    assert row.regret > found["random"].regret
    assert "the top-scoring network has only 53.01 %" in row.why


@pytest.mark.slow
def test_a_random_score_gains_nothing() -> None:
    noise = np.random.default_rng(0).random(2000)
    row = rows(landscape(lambda arch: noise[arch[0] + 10 * arch[1] + 100 * arch[2]]))["evolution"]
    assert row.verdict == "no better"
    assert row.why


@pytest.mark.slow
def test_the_best_architecture_is_within_the_budget() -> None:
    known = landscape(sum, budget=Budget(params=12))
    found = rows(known, max_params=12)
    assert found["evolution"].best == max(known.accuracies[arch] for arch in known.affordable)
    assert found["evolution"].best < 63
    assert all(row.accuracy <= row.best for row in found.values())
    assert {row.in_budget for row in found.values()} == {
        sum(sum(arch) <= 12 for arch in itertools.product(range(1, 11), repeat=3))
    }


@pytest.mark.slow
def test_architectures_without_a_score_rank_last() -> None:
    found = rows(landscape(lambda arch: None if arch[0] > 5 else sum(arch)))
    assert {row.top_scored for row in found.values()} == {75.05}
    assert all(65 < row.upper_quartile <= 75.05 for row in found.values())


def test_a_score_without_values_and_an_unmet_budget_are_errors() -> None:
    with pytest.raises(OptionError, match=r"scores nothing in budget.*no rectifiers"):
        landscape(lambda _: None).scored("nwot")
    with pytest.raises(BudgetError, match=r"the smallest is 1-1-1 with params 3, macs 3"):
        landscape(sum, budget=Budget(macs=2))


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["evolution", "regularized", "random", "nsga2"])
def test_the_benchmark_searches_like_the_search_command(engine: str, measurements: Path) -> None:
    truth = find_truth("digits-s0", Path())
    settings = replace(SETTINGS, scorers=("nwot", "relation")).measurement(truth, "distilled")
    names = [truth.space.to_string(arch) for arch in truth.architectures]
    measured = measure(settings, names, measurements, progress=silent)
    known = Landscape.of(
        truth, "distilled", measured, signature=evaluator_for(settings).signature, budget=Budget()
    )
    found = found_after(
        [10, 20, 30],
        known.scored("nwot").evaluator,
        replace(SETTINGS, engines=()).engine(engine),
        budget=Budget(params=400_000),
        seed=0,
    )
    searched = diswot.search(
        "resnet20", "s0", scorer="nwot", engine=engine, budget=Budget(params=400_000),
        population=10, generations=2, repeats=1, batch_size=8, seed=0,
    )  # fmt: skip
    scored = [each for each in searched.candidates if each.within_budget]
    for candidate, count in zip(found, (10, 20, 30), strict=True):
        best = max(scored[:count], key=lambda each: each.merit())
        if engine != "nsga2" or count <= len(scored):
            assert (candidate.name, candidate.terms) == (best.name, best.terms)


def test_candidates_over_budget_do_not_count_as_evaluations() -> None:
    known = landscape(sum, budget=Budget(params=10))
    asked: list[str] = []

    class Counting(RecordedEvaluator):
        def outcome(self, arch, costs):  # type: ignore[no-untyped-def]
            asked.append(self.space.to_string(arch))
            return super().outcome(arch, costs)

    evaluator = Counting(known.space, find_scorer("nwot"), known.records, IMAGES)
    settings = EngineSettings("nsga2", 10, 5, ("score", "params"))
    found_after([60], evaluator, settings, budget=known.budget, seed=1)
    assert len(asked) == len(set(asked)) == 60


def test_a_search_that_exhausts_the_space_keeps_its_best() -> None:
    known = landscape(sum, budget=Budget(params=4))
    found = found_after(
        [1, 4, 100],
        known.scored("nwot").evaluator,
        EngineSettings("evolution", 2, 50),
        budget=known.budget,
        seed=0,
    )
    assert [each.params for each in found[1:]] == [4, 4]


class TestKnownSpace:
    """A subset of a space: mutation and crossover stay inside it."""

    space: SearchSpace = AutoFormerSpace()

    @pytest.fixture
    def known(self) -> KnownSpace:
        rng = np.random.default_rng(0)
        return KnownSpace(self.space, [self.space.sample(rng) for _ in range(30)])

    def test_it_contains_exactly_the_given_architectures(self, known: KnownSpace) -> None:
        assert known.size == 30
        assert len(list(known)) == 30
        assert all(known.from_string(known.to_string(arch)) == arch for arch in known)
        drawn = {known.sample(np.random.default_rng(seed)) for seed in range(300)}
        assert drawn == set(known)

    def test_children_are_in_the_subset_and_mutants_differ(self, known: KnownSpace) -> None:
        everyone = list(known)
        for seed in range(100):
            rng = np.random.default_rng(seed)
            a, b = known.sample(rng), known.sample(rng)
            assert known.mutate(a, rng) in everyone
            assert known.mutate(a, rng) != a
            assert known.crossover(a, b, rng) in everyone

    def test_the_nearest_differs_in_the_fewest_genes(self, known: KnownSpace) -> None:
        def distance(a, b) -> int:  # type: ignore[no-untyped-def]
            layers = [
                sum(x != y for x, y in itertools.zip_longest(of_a, of_b))
                for of_a, of_b in ((a.heads, b.heads), (a.mlp_ratios, b.mlp_ratios))
            ]
            return int(sum(layers) + (a.hidden != b.hidden))

        for seed in range(50):
            rng = np.random.default_rng(seed)
            parent = known.sample(rng)
            state = rng.bit_generator.state
            mutant = self.space.mutate(parent, rng)
            rng.bit_generator.state = state
            others = [arch for arch in known if arch != parent]
            found = known.mutate(parent, rng)
            assert distance(found, mutant) == min(distance(arch, mutant) for arch in others)

    def test_a_completely_measured_space_is_searched_directly(self) -> None:
        known = landscape(sum)
        assert isinstance(known.space, ResNetDepthSpace)
        assert not known.partial


def test_wins_are_the_fraction_of_pairs() -> None:
    rng = np.random.default_rng(0)
    ours, others = rng.integers(0, 6, 12).astype(float), rng.integers(2, 8, 9).astype(float)
    pairs = [(a > b) + 0.5 * (a == b) for a in ours for b in others]
    assert compared(ours, others).wins == pytest.approx(np.mean(pairs))
    assert compared(others, ours).wins == pytest.approx(1 - np.mean(pairs))
    assert compared(ours, others).p == pytest.approx(compared(others, ours).p)
    assert compared(np.ones(5), np.ones(5)) == (0.5, 1.0)
    assert compared(np.arange(20.0), np.arange(20.0) + 100).verdict == "worse"
    assert compared(np.arange(20.0) + 100, np.arange(20.0)).verdict == "better"


def test_the_interval_of_a_difference_contains_it() -> None:
    rng = np.random.default_rng(0)
    ours, others = rng.normal(2, 1, 20), rng.normal(0, 1, 20)
    found = median_difference(ours, others)
    assert found.value == np.median(ours) - np.median(others)
    assert 0 < found.low < found.value < found.high
    assert found == median_difference(ours, others)
    same = median_difference(np.ones(5), np.ones(5))
    assert (same.low, same.value, same.high) == (0, 0, 0)


@pytest.mark.parametrize(
    ("verdict", "by_score", "changes", "why"),
    [
        ("better", "better", {}, ""),
        ("no better", "better", {"seen": 1.0}, "all networks in budget are evaluated"),
        ("no better", "worse", {}, "lower scores"),
        ("worse", "better", {"top": 60.0}, "the top-scoring network has only"),
        ("no better", "better", {}, "is not significant"),
        ("no better", "no better", {"reached": 0.5}, "random search also finds the best score"),
        ("no better", "no better", {}, "no higher scores"),
    ],
)
def test_a_verdict_other_than_better_has_a_reason(
    verdict: str, by_score: str, changes: dict[str, float], why: str
) -> None:
    found = reason(
        verdict, by_score, **{"seen": 0.1, "reached": 0.0, "random": 70.0, "top": 72.0, **changes}
    )
    assert why in found
    assert bool(found) == (verdict != "better")


@pytest.mark.slow
def test_tables_and_plots_are_written(kept: Path, tmp_path: Path) -> None:
    reported: list[Step] = []
    out = tmp_path / "out"
    found = run_search_bench(SETTINGS, out, work=kept, progress=reported.append)
    assert [step.total for step in reported if step.stage == "search"] == [12] * 12
    with (out / "search.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert [(row["scorer"], row["engine"], row["evaluations"]) for row in table] == list(
        itertools.product(("nwot", "params"), ("random", "evolution"), ("15", "30"))
    )
    assert all(float(row["milliseconds"]) > 0 for row in table)
    for row in found.curves:
        assert row.lower_quartile <= row.accuracy <= row.upper_quartile <= row.best
        assert row.regret == pytest.approx(row.best - row.accuracy)
    text = (out / "search.md").read_text()
    assert text.startswith("| name | after | accuracy, quartiles |")
    assert "A toy: 30 evaluations are 47% of the 64 different networks" in text
    for plot in ("accuracy", "regret"):
        assert (out / f"{plot}.png").read_bytes().startswith(b"\x89PNG")
        ElementTree.parse(out / f"{plot}.svg")


@pytest.mark.slow
def test_a_repeated_benchmark_gives_the_same_result(kept: Path, tmp_path: Path) -> None:
    run = partial(run_search_bench, SETTINGS, work=kept, progress=silent)
    first, second = run(tmp_path / "a"), run(tmp_path / "b")
    without_times = [
        [replace(row, milliseconds=None) for row in found.curves] for found in (first, second)
    ]
    assert without_times[0] == without_times[1]


@pytest.mark.slow
def test_measurements_of_other_scorers_are_reused(
    cli: CommandLine, kept: Path, tmp_path: Path
) -> None:
    arguments = (*OPTIONS, "--scorers", "nwot", "--work", kept, "--json", "--out")
    whole = cli(*arguments, tmp_path / "whole")
    assert whole.code == 0, whole.err
    records = kept / RECORDS
    lines = records.read_text().splitlines(keepends=True)
    records.write_text("".join(lines[:-5]) + "{cut")
    again = cli(*arguments, tmp_path / "again")
    assert again.code == 0, again.err
    rows = [
        [{**row, "milliseconds": None} for row in json.loads(done.out)["rows"]]
        for done in (whole, again)
    ]
    assert rows[0] == rows[1]
    assert {row["engine"] for row in rows[0]} == {"random", "evolution"}


@pytest.mark.slow
def test_measurements_of_a_correlation_are_reused(cli: CommandLine, tmp_path: Path) -> None:
    work = tmp_path / "correlation"
    done = cli(
        "bench", "correlation", "--scorers", "relation", "--sample", 20, "--teacher", "resnet20",
        "--repeats", 1, "--batch-size", 8, "--out", work,
    )  # fmt: skip
    assert done.code == 0, done.err
    records = (work / RECORDS).read_bytes()
    done = cli(
        *OPTIONS, "--scorers", "relation,flops", "--sample", 20, "--work", work,
        "--out", tmp_path / "out",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert (work / RECORDS).read_bytes() == records
    assert "relation, evolution" in done.out


@pytest.mark.slow
def test_with_a_sample_only_its_architectures_are_searched(
    cli: CommandLine, kept: Path, tmp_path: Path
) -> None:
    done = cli(
        *OPTIONS, "--scorers", "params", "--work", kept, "--sample", 40, "--out", tmp_path / "out"
    )
    assert done.code == 0, done.err
    assert "40 networks in budget" in done.out
    assert "Searched are the 40 architectures whose accuracy is known" in done.out
    assert "Next: look at" in done.out


@pytest.mark.slow
def test_a_second_benchmark_may_use_the_same_folder(cli: CommandLine, tmp_path: Path) -> None:
    arguments = (*OPTIONS, "--scorers", "params", "--sample", 12, "--out", tmp_path / "out")
    assert cli(*arguments).code == 0
    done = cli(*arguments, "--max-params", "400k", "--engines", "random,regularized,nsga2")
    assert done.code == 0, done.err
    assert "params ≤ 400,000" in done.out
    assert "params, nsga2" in done.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--truth", "s0"), "unknown ground truth 's0'"),
        (("--target", "distillde"), "did you mean 'distilled'"),
        (("--scorers", "nwott"), "did you mean 'nwot'"),
        (("--engines", "evolutoin"), "did you mean 'evolution'"),
        (("--engines", "exhaustive"), "prefers nothing"),
        (("--engines", "nsga2", "--population", 3), "at least 4"),
        (("--evaluations", 0), "0"),
        (("--seeds", 1), "1"),
        (("--sample", 65), "64 architectures"),
        (("--max-params", "0"), "expected a positive number"),
        (("--max-params", "10", "--work", "kept"), "allow at least that"),
        (("--scorers", "snip", "--work", "kept"), "holds no measurements of snip"),
        (("--batch-size", 9, "--work", "kept"), "started with batch_size 8, but got 9"),
        (("--truth", "resnet-s0"), "DISWOT_MIRROR"),
        (("--out", "."), "is not empty"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(map(str, value)),
)
def test_invalid_options_are_one_line_errors(
    cli: CommandLine, kept: Path, tmp_path: Path, arguments: tuple[str | int, ...], message: str
) -> None:
    done = cli(*OPTIONS, "--scorers", "nwot", "--out", tmp_path / "out", *arguments)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert message in done.err
    assert done.out == ""


def test_a_damaged_manifest_is_a_one_line_error(
    cli: CommandLine, kept: Path, tmp_path: Path
) -> None:
    for content in ("{", "[]", '{"settings": 3}', '{"settings": {"scorers": ["nwott"]}}'):
        (kept / "manifest.json").write_text(content)
        done = cli(*OPTIONS, "--scorers", "nwot", "--work", kept, "--out", tmp_path / "out")
        assert (done.code, done.err.count("\n")) == (2, 1), done.err


def test_invalid_settings_are_refused() -> None:
    for change in ({"seeds": 1}, {"evaluations": 0}, {"population": 0}, {"engines": ("best",)}):
        with pytest.raises(DiswotError):
            replace(SETTINGS, **change)
