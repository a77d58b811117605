"""Baselines are scored within the run and compete with the candidates of the engine."""

import json
from pathlib import Path

import pytest

import diswot
from diswot.errors import RunFolderError
from diswot.latency import MeasuredLatency
from diswot.runs import line_with_checksum
from diswot.runs.folder import read_json, write_record
from diswot.search import resume
from tests.search.conftest import SMALL, entries_of, lines_of, outcome_of, search, unfinished
from tests.search.spaces import Tiny

FEW = {"population": 1, "generations": 0}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("scorer", ["params", "student_fit", "logrank(nwot,params)"])
def test_no_scored_candidate_is_above_the_winner(seed: int, scorer: str) -> None:
    run = search(**FEW, seed=seed, scorer=scorer)
    scored = [*run.candidates, *run.baselines.values()]
    assert run.best.score == max(c.score for c in scored if c.score is not None)
    assert run.ranking[0] == run.front[0] == run.shortlist()[0] == run.best


@pytest.mark.slow
def test_a_baseline_that_scores_highest_wins() -> None:
    runs = [search(**FEW, seed=seed, scorer="params") for seed in range(6)]
    assert {run.best.name for run in runs} == {"3-3-3"}
    assert all(run.best == run.baselines["largest"] for run in runs)
    assert any(run.candidates[0] != run.best for run in runs)


@pytest.mark.slow
def test_baselines_do_not_change_the_proposals_of_the_engine() -> None:
    run = search(seed=1)
    engine = run.candidates[:4]
    alone = search(seed=1, generations=0).candidates[:4]
    assert [(c.name, c.terms) for c in engine] == [(c.name, c.terms) for c in alone]


@pytest.mark.slow
def test_a_baseline_that_is_also_proposed_is_one_candidate(tmp_path: Path) -> None:
    run = search(engine="exhaustive", out=tmp_path / "r")
    assert len({c.name for c in run.candidates}) == len(run.candidates) == 27
    by_name = {c.name: c for c in run.candidates}
    assert all(by_name[c.name] == c for c in run.baselines.values())
    entries = entries_of(tmp_path / "r")
    assert [e["number"] for e in entries if e["number"] >= 0] == list(range(27))
    assert {e["architecture"] for e in entries if e["number"] < 0} == {
        c.name for c in run.baselines.values()
    }


def test_a_run_with_a_baseline_as_winner_is_read_back(tmp_path: Path) -> None:
    run = search(**FEW, seed=0, scorer="params", out=tmp_path / "r")
    read = diswot.load_run(tmp_path / "r", space=Tiny())
    assert read.best == run.best
    assert read.candidates == run.candidates
    assert read.baselines == run.baselines
    assert (
        json.loads((tmp_path / "r" / "result.json").read_text())["best"]["architecture"] == "3-3-3"
    )


def test_baselines_recorded_under_their_former_name_are_read(tmp_path: Path) -> None:
    run = search(**FEW, seed=0, out=tmp_path / "r")
    for name in ("manifest.json", "result.json"):
        content = read_json(tmp_path / "r" / name)
        content["plain_choices"] = content.pop("baselines")
        write_record(tmp_path / "r" / name, content)
    read = diswot.load_run(tmp_path / "r", space=Tiny())
    assert read.plain_choices == read.baselines == run.baselines
    (tmp_path / "r" / "result.json").unlink()
    assert resume(tmp_path / "r", space=Tiny()).baselines == run.baselines


@pytest.mark.slow
@pytest.mark.parametrize("kept", range(6))
def test_a_run_stopped_among_its_baselines_resumes_equally(tmp_path: Path, kept: int) -> None:
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    search(**FEW, seed=3, out=whole)
    unfinished(stopped, lines_of(whole)[:kept], whole)
    _resume(stopped)
    assert outcome_of(stopped) == outcome_of(whole)


@pytest.mark.slow
def test_an_extended_run_equals_a_longer_run(tmp_path: Path) -> None:
    search(**SMALL | {"generations": 0}, seed=2, out=tmp_path / "extended")
    _resume(tmp_path / "extended", generations=1)
    search(**SMALL | {"generations": 1}, seed=2, out=tmp_path / "whole")
    assert outcome_of(tmp_path / "extended") == outcome_of(tmp_path / "whole")


def test_only_latencies_that_decide_are_measured(tmp_path: Path) -> None:
    budget = diswot.Budget(latency_ms=1000.0)
    run = search(**FEW, latency="eager", budget=budget, out=tmp_path / "r")
    _, *rows = (tmp_path / "r" / "latencies.csv").read_text().splitlines()
    names = {c.name for c in (*run.candidates, *run.baselines.values())}
    assert {row.split(",")[0] for row in rows} == names


def test_measured_latencies_give_the_baselines_of_a_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    params = {c.name: c.params for c in diswot.score(list(Tiny()), space=Tiny(), scorer="params")}
    table = tmp_path / "table.csv"
    table.write_text("arch,latency_ms\n" + "".join(f"{a},{p / 1e3}\n" for a, p in params.items()))
    monkeypatch.setattr(
        MeasuredLatency, "__call__", lambda self, arch: params[self.space.to_string(arch)] / 1e3
    )
    few = sorted(params.values())[4] / 1e3
    looked_up, measured = (
        search(**FEW, latency=latency, budget=diswot.Budget(latency_ms=few)).baselines
        for latency in (str(table), "eager")
    )
    for label in ("largest", "smallest"):
        assert measured[label].name == looked_up[label].name
    assert all(c.params / 1e3 <= few for c in measured.values())


def test_a_baseline_of_another_run_is_refused(tmp_path: Path) -> None:
    search(**FEW, out=tmp_path / "r")
    other = entries_of(tmp_path / "r")[1]
    del other["crc32"]
    lines = [line_with_checksum(other | {"number": -1}), *lines_of(tmp_path / "r")[2:]]
    (tmp_path / "r" / "journal.jsonl").write_bytes(b"".join(lines))
    with pytest.raises(RunFolderError, match="not the baseline"):
        _resume(tmp_path / "r")


def _resume(folder: Path, generations: int | None = None) -> diswot.SearchResult:
    return resume(folder, space=Tiny(), generations=generations)
